// The dialog that asks for the token of a server that wants one.

import { keepToken } from './api.js'
import { byId } from './dom.js'

let asking // the promise of an answer while the dialog is open, since several requests may ask at once

/** Asks for the token; resolves to false where the visitor gives none. */
export function askForToken() {
  asking ||= new Promise((resolve) => {
    const dialog = byId('sign-in')
    const field = byId('token')
    dialog.onclose = () => {
      const token = field.value.trim()
      field.value = ''
      asking = undefined
      if (token && dialog.returnValue === 'send') keepToken(token)
      resolve(token !== '' && dialog.returnValue === 'send')
    }
    dialog.returnValue = ''
    dialog.showModal()
  })
  return asking
}
