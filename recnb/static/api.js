// Requests to the server.

/** The JSON answer to a GET, or to a POST where there is a body. Throws an Error with a sentence for the reader. */
export async function request(path, body) {
  const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
  let response
  let answer
  try {
    response = await fetch(path, body ? post : {})
    answer = await response.json()
  } catch {
    throw Error('The server does not answer; is it still running?')
  }
  if (!response.ok) throw Error(answer.error)
  return answer
}

/** A path whose parts may hold any character, with the fields of its query. */
export function url(parts, fields) {
  return `${parts.map(encodeURIComponent).join('/')}?${new URLSearchParams(fields)}`
}
