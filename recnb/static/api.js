// Requests to the server.

const TOKEN_KEY = 'recnb-token' // of a server that wants one; kept until the tab is closed
const WAIT = 1500 // ms before a server that is loading its model is asked again
let signIn = async () => false

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** What to do when the server wants a token: a function that resolves to whether there is a new one. */
export function onMissingToken(ask) {
  signIn = ask
}

/** Keeps the token for requests from this tab. */
export function keepToken(token) {
  sessionStorage.setItem(TOKEN_KEY, token)
}

function headers(body) {
  const token = sessionStorage.getItem(TOKEN_KEY)
  return { ...(body && { 'Content-Type': 'application/json' }), ...(token && { Authorization: `Bearer ${token}` }) }
}

/** The response of the server to a GET, or to a POST where there is a body. */
export function send(path, body) {
  const method = body ? 'POST' : 'GET'
  return fetch(path, { method, headers: headers(body), body: body && JSON.stringify(body) })
}

/** The JSON answer to a GET, or to a POST where there is a body. Throws an Error with a sentence for the reader. */
export async function request(path, body) {
  let response
  let answer
  try {
    response = await send(path, body)
    answer = await response.json()
  } catch {
    throw Error('The server does not answer; is it still running?')
  }
  if (response.status === 401 && (await signIn())) return request(path, body)
  if (response.status === 503) {
    await wait(WAIT)
    return request(path, body)
  }
  if (!response.ok) throw Error(answer.error)
  return answer
}

/** A path with the fields of its query, which may hold any character. */
export function url(path, fields) {
  return `${path}?${new URLSearchParams(fields)}`
}
