// Helpers for the elements of the page.

/** The element with this id. */
export const byId = (id) => document.getElementById(id)

/** A new element with its properties (attributes, where it has no such property) and its children. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value
    else node.setAttribute(name, value)
  }
  node.append(...children)
  return node
}

/** Text that only a screen reader reads. */
export const hiddenText = (text) => element('span', { className: 'hidden', textContent: text })

/** Writes a sentence into a status line, as an error or not. */
export function showStatus(id, text, isError = false) {
  byId(id).textContent = text
  byId(id).classList.toggle('error', isError)
}
