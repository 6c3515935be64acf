// Search for titles to rate.

import { request, url } from './api.js'
import { itemRow } from './cards.js'
import { byId, showStatus } from './dom.js'
import { state } from './state.js'

const RESULTS = 5
const DELAY = 120 // ms without a key before a search
let latest = 0 // number of the latest search; answers may overtake each other
let timer

function statusText(text, count) {
  if (!text) return 'Well-known ones to begin with'
  if (!count) return `Nothing is called “${text}”`
  return count === RESULTS ? `The ${RESULTS} best known matches` : `${count} found`
}

/** Shows the titles that match the text of the search field, or well-known ones while it is empty. */
export async function search() {
  const text = byId('query').value.trim()
  latest += 1
  const number = latest
  try {
    const { items } = await request(url('search', { model: state.model.name, q: text, k: RESULTS }))
    if (number !== latest) return // the visitor typed on
    byId('search-results').replaceChildren(...items.map(itemRow))
    showStatus('search-status', statusText(text, items.length))
  } catch (error) {
    if (number === latest) showStatus('search-status', error.message, true)
  }
}

/** Searches once the visitor stops typing. */
export function searchSoon() {
  clearTimeout(timer)
  timer = setTimeout(search, DELAY)
}
