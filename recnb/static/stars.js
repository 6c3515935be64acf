// The control that rates an item: stars on the scale of the data, or a number where the scale has many steps.

import { element, hiddenText } from './dom.js'
import { rate, state } from './state.js'

const MAX_STARS = 10
let groups = 0 // radio buttons of one control share a name

/** The control for an item. */
export function ratingControl(card) {
  const { low, high, step } = state.model.scale
  const count = step ? Math.round((high - low) / step) + 1 : Infinity
  return count > MAX_STARS ? numberField(card) : starButtons(card, count)
}

function numberField(card) {
  const { low, high, step } = state.model.scale
  return element('input', {
    type: 'number',
    min: low,
    max: high,
    step: step || 'any',
    value: state.ratings.get(card.item_id)?.rating ?? '',
    'aria-label': `Your rating of ${card.title}, ${low} to ${high}`,
    'data-item': card.item_id,
    onchange: ({ target }) => {
      if (target.value !== '' && target.checkValidity()) rate(card, +target.value)
    },
  })
}

function starButtons(card, count) {
  const { low, step } = state.model.scale
  const legend = element('legend', { className: 'hidden', textContent: `Your rating of ${card.title}` })
  const className = step === 0.5 ? 'stars halves' : 'stars'
  const box = element('fieldset', { className, 'data-item': card.item_id }, legend)
  groups += 1
  for (let i = 0; i < count; i++) box.append(star(card, +(low + i * step).toFixed(4), `stars${groups}`))
  return box
}

/** One star: a hidden radio button, so that arrow keys move among the stars, and its picture. */
function star(card, value, name) {
  const text = `${value} of ${state.model.scale.high}`
  const checked = state.ratings.get(card.item_id)?.rating === value
  const onchange = () => rate(card, value)
  const radio = element('input', { type: 'radio', className: 'hidden', name, value, checked, onchange })
  return element('label', { title: text }, radio, hiddenText(text), element('i'))
}

/** Brings all controls in step with the ratings: an item may be on the page more than once. */
export function updateControls() {
  const ratings = new Map([...state.ratings].map(([id, { rating }]) => [String(id), rating]))
  for (const control of document.querySelectorAll('[data-item]')) {
    const rating = ratings.get(control.dataset.item)
    if (control.tagName !== 'INPUT') {
      for (const radio of control.querySelectorAll('input')) radio.checked = +radio.value === rating
    } else if (control !== document.activeElement) {
      control.value = rating ?? ''
    }
  }
}
