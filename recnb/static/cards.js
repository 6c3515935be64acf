// How an item looks in a list.

import { cover } from './cover.js'
import { element } from './dom.js'
import { ratingControl } from './stars.js'

/** Year and genres in one line. */
export function facts(card) {
  const parts = [card.year, (card.genres || []).join(', ')]
  return element('p', { className: 'facts', textContent: parts.filter(Boolean).join(' · ') })
}

/** The title as a button; `page.js` opens the item when it is clicked. */
export function titleButton(card) {
  return element('button', {
    type: 'button',
    className: 'title',
    textContent: card.title,
    'aria-haspopup': 'dialog',
    'data-open': card.item_id,
  })
}

/** A row of a list: cover, title, facts and stars. */
export function itemRow(card) {
  const text = element('div', { className: 'text' }, titleButton(card), facts(card))
  return element('li', { className: 'row' }, cover(card), text, ratingControl(card))
}
