// The dialog with everything about one item, and items like it.

import { request, url } from './api.js'
import { facts, titleButton } from './cards.js'
import { cover } from './cover.js'
import { byId, element, showStatus } from './dom.js'
import { ratingControl } from './stars.js'
import { state } from './state.js'

const SIMILAR = 6

async function similarItems(id) {
  if (!state.model.compares) return []
  const answer = await request(url('similar', { item_id: id, model: state.model.name, k: SIMILAR }))
  return answer.items
}

function similarList(items) {
  const rows = items.map((card) => element('li', {}, titleButton(card), facts(card)))
  return [element('h3', { textContent: 'Like this one' }), element('ul', {}, ...rows)]
}

/** Opens the dialog with an item, or shows another one in it. */
export async function openItem(id) {
  const dialog = byId('item')
  try {
    const card = await request(url('items', { item_id: id, model: state.model.name }))
    const similar = await similarItems(id)
    const title = element('h2', { id: 'item-title', tabIndex: -1, textContent: card.title })
    const close = element('button', { type: 'button', textContent: 'Close', onclick: () => dialog.close() })
    dialog.replaceChildren(
      element('div', { className: 'head' }, cover(card), title, close),
      facts(card),
      element('p', { textContent: card.overview || '' }),
      element('p', { className: 'quiet', textContent: 'Your rating' }),
      ratingControl(card),
      ...(similar.length ? similarList(similar) : []),
    )
    if (!dialog.open) dialog.showModal()
    dialog.scrollTop = 0
    title.focus()
  } catch (error) {
    showStatus('list-status', error.message, true)
  }
}

/** A click beside the dialog closes it; when it closes, the focus goes to something that is still there. */
export function setUpDialog() {
  const dialog = byId('item')
  dialog.onclick = ({ target }) => {
    if (target === dialog) dialog.close()
  }
  dialog.onclose = () => {
    if (document.activeElement === document.body) byId('for-you').focus()
  }
}
