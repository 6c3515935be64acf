// The page for programs: every request of the OpenAPI document, with a form to try it.

import { onMissingToken, request, send, url } from './api.js'
import { byId, element, showStatus } from './dom.js'
import { askForToken } from './sign_in.js'

/** Bodies to begin with: the best known item, rated as high as it can be. */
function exampleBody(path, rated) {
  if (path === '/predict') return { items: [rated.item_id], ratings: [rated] }
  if (path === '/recommend/batch') return { requests: [{ ratings: [rated], k: 3 }] }
  return { ratings: [rated], k: 3 }
}

function field({ name, description, required, schema }) {
  const id = `field-${Math.random().toString(36).slice(2)}`
  const many = schema.type === 'array'
  const label = element('label', {
    htmlFor: id,
    textContent: `${name}${required ? '' : ' (optional)'}: ${description}`,
  })
  const input = element('input', { id, type: 'text', name, placeholder: schema.default ?? '', 'data-many': many })
  return [label, input]
}

/** The path and query that the form describes; a list has its values between commas. */
function target(path, form, parameters) {
  const fields = []
  let filled = path.slice(1)
  for (const { name, in: place, schema } of parameters) {
    const value = form.elements[name].value
    if (place === 'path') filled = filled.replace(`{${name}}`, encodeURIComponent(value))
    else if (schema.type === 'array') for (const part of value.split(',')) part && fields.push([name, part.trim()])
    else if (value) fields.push([name, value])
  }
  return fields.length ? url(filled, fields) : filled
}

async function showAnswer(form, output, path, body) {
  let text
  try {
    const response = await send(path, body && JSON.parse(body))
    const answer = JSON.stringify(await response.json(), null, 2)
    text = `${body ? 'POST' : 'GET'} /${path}\n${response.status}\n${answer}`
  } catch (error) {
    text = error.message
  }
  output.textContent = text
  form.querySelector('button').disabled = false
}

function operation(path, method, { operationId, summary, parameters = [], requestBody }, rated) {
  const output = element('pre', { 'aria-live': 'polite' })
  const button = element('button', { textContent: 'Send' })
  const body = requestBody && element('textarea', { 'aria-label': 'Body, JSON' })
  if (body) body.value = JSON.stringify(exampleBody(path, rated), null, 2)
  const form = element('form', { id: operationId }, ...parameters.flatMap(field), ...(body ? [body] : []), button)
  form.onsubmit = (event) => {
    event.preventDefault()
    button.disabled = true
    showAnswer(form, output, target(path, form, parameters), body?.value)
  }
  const title = element('summary', { textContent: `${method.toUpperCase()} ${path}` })
  return element('details', { className: 'card' }, title, element('p', { textContent: summary }), form, output)
}

async function start() {
  onMissingToken(askForToken)
  try {
    const { paths, components } = await request('openapi.json')
    const { items } = await request(url('search', { k: 1 }))
    const { maximum } = components.schemas.RatedItem.properties.rating
    const rated = { item_id: items[0].item_id, rating: maximum }
    for (const [path, methods] of Object.entries(paths)) {
      const all = Object.entries(methods).map(([method, about]) => operation(path, method, about, rated))
      byId('operations').append(...all)
    }
  } catch (error) {
    showStatus('docs-status', error.message, true)
  }
}

start()
