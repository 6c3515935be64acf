// The list of the visitor's own ratings.

import { itemRow } from './cards.js'
import { byId, element } from './dom.js'
import { removeRating, state } from './state.js'

function ratingRow(id, { title, year, genres }) {
  const row = itemRow({ item_id: id, title, year, genres })
  const remove = () => {
    const neighbour = row.nextElementSibling || row.previousElementSibling
    removeRating(id)
    const next = neighbour?.querySelector('.small') || byId('query')
    next.focus()
  }
  row.ratingId = id
  row.append(
    element('button', {
      type: 'button',
      className: 'small',
      textContent: 'Remove',
      'aria-label': `Remove your rating of ${title}`,
      onclick: remove,
    }),
  )
  return row
}

/** Shows the ratings, the newest first. Rows stay where they are, so that the keyboard does not lose its place. */
export function showRatings() {
  const list = byId('ratings')
  const rows = new Map([...list.children].map((row) => [row.ratingId, row]))
  for (const [id, row] of rows) {
    if (!state.ratings.has(id)) row.remove()
  }
  for (const [id, rating] of state.ratings) {
    if (!rows.has(id)) list.prepend(ratingRow(id, rating))
  }
  byId('no-ratings').hidden = state.ratings.size > 0
  byId('forget-all').hidden = state.ratings.size === 0
  byId('rating-count').textContent = state.ratings.size || ''
}
