// The list of recommendations, with the reason for each.

import { request } from './api.js'
import { facts, titleButton } from './cards.js'
import { cover } from './cover.js'
import { byId, element, hiddenText, showStatus } from './dom.js'
import { orderFields, orderText } from './order.js'
import { state } from './state.js'

const LENGTH = 12
const MAX_RATINGS = 500 // the server reads so many
const DELAY = 80 // ms; arrow keys pass by other stars on their way
let latest = 0 // number of the latest request; answers may overtake each other
let timer

/** What the list rests on; ratings of items that this model does not know are named. */
function statusText(skipped) {
  const count = state.ratings.size - skipped.length
  if (!count) return `What suits everybody${orderText()}, until you rate something`
  const source = count === 1 ? 'your rating' : `your ${count} ratings`
  const expected = state.model.rates ? '; beside each, the rating we expect of you' : ''
  return `From ${source}${orderText()}${expected}${skippedText(skipped)}`
}

function skippedText(skipped) {
  if (!skipped.length) return ''
  const names = skipped.slice(0, 3).map((id) => state.ratings.get(id)?.title ?? id)
  const more = skipped.length > 3 ? ` and ${skipped.length - 3} more` : ''
  return `. ${state.model.name} does not know ${names.join(', ')}${more}`
}

/** Why the item is in the list; a list without ratings has no reasons. */
function reason(card) {
  const line = element('p', { className: 'reason' })
  if (card.because) {
    const title = element('b', { textContent: card.because.title })
    line.append('Because you gave ', title, ` ${card.because.rating}`)
  } else if (state.ratings.size && card.liked_by_many) {
    line.append('Liked by many')
  } else if (state.ratings.size && state.model.compares) {
    line.append('Unlike what you rated high, and it may suit you')
  }
  return line
}

function expectedRating(card) {
  const properties = { className: 'expected', title: 'The rating we expect of you' }
  return element('span', properties, hiddenText('expected rating '), card.prediction.toFixed(1))
}

function recommendationRow(card) {
  const rank = element('span', { className: 'rank', textContent: card.rank })
  const text = element('div', {}, titleButton(card), facts(card), reason(card))
  return element('li', {}, rank, cover(card), text, state.model.rates ? expectedRating(card) : '')
}

/** Puts new rows into the list; a focused title keeps the focus where it is still in the list. */
function showRows(items) {
  const list = byId('recommendations')
  const focused = list.contains(document.activeElement) ? document.activeElement.textContent : null
  list.replaceChildren(...items.map(recommendationRow))
  if (focused === null) return
  const buttons = [...list.querySelectorAll('button')]
  const next = buttons.find((button) => button.textContent === focused) || byId('for-you')
  next.focus()
}

/** Asks for a list that fits the ratings, and shows it. */
export async function recommend() {
  const ratings = [...state.ratings].slice(-MAX_RATINGS).map(([item_id, { rating }]) => ({ item_id, rating }))
  latest += 1
  const number = latest
  try {
    const body = { model: state.model.name, ratings, k: LENGTH, ...orderFields() }
    const { items, skipped } = await request('recommend', body)
    if (number !== latest) return
    showRows(items)
    showStatus('list-status', statusText(skipped))
  } catch (error) {
    if (number === latest) showStatus('list-status', error.message, true)
  }
}

/** Asks once neither the ratings nor the order have changed for a moment. */
export function recommendSoon() {
  clearTimeout(timer)
  timer = setTimeout(recommend, DELAY)
}
