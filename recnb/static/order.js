// The order of the list: the best first, with more variety, or with genres in the proportions of the ratings.

import { byId } from './dom.js'
import { rememberOrder, state } from './state.js'

/** The chosen order, as far as this model can give it; '' where the best come first. */
function chosen() {
  return state.model.reorders.includes(state.order.by) ? state.order.by : ''
}

/** The fields of a request for the chosen order. */
export function orderFields() {
  return chosen() ? { [chosen()]: state.order.weight } : {}
}

/** The order in words for the status line; without ratings there are no proportions to keep. */
export function orderText() {
  if (chosen() === 'diversity') return ', more varied'
  return chosen() && state.ratings.size ? ', your genres in proportion' : ''
}

/** Brings the controls in step with the model and the chosen order. */
export function showOrder() {
  for (const option of byId('order').options) {
    option.hidden = option.disabled = option.value !== '' && !state.model.reorders.includes(option.value)
  }
  byId('order').value = chosen()
  byId('order').parentElement.hidden = !state.model.reorders.length
  byId('weight').value = state.order.weight
  byId('weight').parentElement.hidden = !chosen()
  const percent = `${Math.round(100 * state.order.weight)} %`
  byId('weight').ariaValueText = percent
  byId('weight-text').textContent = percent
}

/** Calls `listener` after every change of the order. */
export function onOrderChange(listener) {
  byId('order').oninput = byId('weight').oninput = () => {
    rememberOrder({ by: byId('order').value, weight: +byId('weight').value })
    showOrder()
    listener()
  }
}
