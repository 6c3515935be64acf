// The page: rate items, and see what is recommended for these ratings.

import { onMissingToken, request } from './api.js'
import { openItem, setUpDialog } from './dialog.js'
import { byId, element, showStatus } from './dom.js'
import { onOrderChange, showOrder } from './order.js'
import { showRatings } from './ratings.js'
import { recommend, recommendSoon } from './recommendations.js'
import { search, searchSoon } from './search.js'
import { askForToken } from './sign_in.js'
import { updateControls } from './stars.js'
import { chooseModel, onRatingsChange, removeAllRatings, state } from './state.js'

/** Shows everything for a model. */
function show(name) {
  chooseModel(name)
  byId('ratings').replaceChildren()
  showRatings()
  showOrder()
  search()
  recommend()
}

function modelButton({ name }) {
  const onchange = () => show(name)
  const checked = name === state.model.name
  const radio = element('input', { type: 'radio', className: 'hidden', name: 'model', value: name, checked, onchange })
  return element('label', {}, radio, name)
}

/** The data sets and their terms, below the page. */
function showSources() {
  const licences = new Map(state.models.map(({ data, licence }) => [data, licence]))
  const terms = [...new Set(licences.values())].filter(Boolean).map((licence) => `${licence.replace(/\.+$/, '')}.`)
  const names = `Recommended by recnb from ${[...licences.keys()].join(', ')}.`
  byId('sources').textContent = terms.length ? `${names} Terms of the data: ${terms.join(' ')}` : names
}

function listen() {
  onRatingsChange(showRatings)
  onRatingsChange(updateControls)
  onRatingsChange(recommendSoon)
  onOrderChange(recommendSoon)
  setUpDialog()
  byId('query').oninput = searchSoon
  byId('forget-all').onclick = () => {
    removeAllRatings()
    byId('query').focus()
  }
  document.addEventListener('click', ({ target }) => {
    const button = target.closest('[data-open]')
    if (button) openItem(button.dataset.open)
  })
}

async function start() {
  onMissingToken(askForToken)
  try {
    state.models = (await request('models')).models
  } catch (error) {
    showStatus('list-status', error.message, true)
    return
  }
  listen()
  show()
  byId('models').append(...state.models.map(modelButton))
  byId('models').parentElement.hidden = state.models.length < 2
  showSources()
}

start()
