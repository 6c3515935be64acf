// The theme, the list of pages on a phone, and search. Nothing is loaded from elsewhere; search-index.js comes with the first look for something.
const root = document.currentScript.dataset.root + '/'
const html = document.documentElement
const stored = () => { try { return localStorage.getItem('theme') } catch { return null } }
if (stored()) html.dataset.theme = stored()

function toggleTheme() {
  const now = html.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
  html.dataset.theme = now == 'dark' ? 'light' : 'dark'
  try { localStorage.setItem('theme', html.dataset.theme) } catch {}
}

// how well an entry [link, heading, page, kind, words] answers: whole names first, then beginnings, then headings, then text
function score([, head, page, kind, words], query, terms) {
  const h = head.toLowerCase(), all = `${h} ${page} ${words}`.toLowerCase()
  if (!terms.every(t => all.includes(t))) return 0
  let s = 1 + terms.filter(t => h.includes(t)).length * 10
  if (h == query || h.endsWith('.' + query)) s += 100
  else if (h.startsWith(query)) s += 50
  else if (h.includes(query)) s += 20
  else if (all.includes(query)) s += 5
  return s + ({page: 4, class: 3, function: 3, section: 2, method: 1}[kind] || 0)
}

function find(query) {
  const q = query.trim().toLowerCase(), terms = q.split(/\s+/)
  return (window.searchIndex || []).map(o => [score(o, q, terms), o]).filter(o => o[0]).sort((a, b) => b[0] - a[0]).slice(0, 20).map(o => o[1])
}

// the words around the first hit, as far as there are any
function around(words, query) {
  const i = words.toLowerCase().indexOf(query.trim().toLowerCase().split(/\s+/)[0])
  return i > 60 ? '…' + words.slice(i - 40, i + 100) : words.slice(0, 140)
}

function element(tag, text, props = {}) { return Object.assign(document.createElement(tag), {textContent: text, ...props}) }

function entry([link, head, page, kind, words], query) {
  const a = element('a', '', {href: root + link}), b = element('b', head)
  b.append(element('i', kind == 'page' ? '' : kind == 'section' ? page : `${kind} in ${page}`))
  a.append(b, element('small', around(words, query)))
  return a
}

function show(input, box) {
  const found = input.value.trim() ? find(input.value) : []
  box.replaceChildren(...found.map(o => entry(o, input.value)))
  if (input.value.trim() && !found.length) box.append(element('div', window.searchIndex ? 'Nothing has all of these words.' : 'One moment …', {className: 'none'}))
  box.hidden = !input.value.trim()
}

function move(box, by) {
  const all = [...box.querySelectorAll('a')], at = all.findIndex(a => a.classList.contains('on'))
  all.forEach(a => a.classList.remove('on'))
  const next = all[Math.max(0, Math.min(all.length - 1, at + by))]
  if (next) { next.classList.add('on'); next.scrollIntoView({block: 'nearest'}) }
}

function setUpSearch() {
  const input = document.querySelector('.search input'), box = document.querySelector('.results')
  input.addEventListener('focus', () => {
    if (!document.getElementById('index')) document.head.append(element('script', '', {id: 'index', src: root + 'search-index.js', onload: () => show(input, box)}))
    show(input, box)
  })
  input.addEventListener('input', () => show(input, box))
  input.addEventListener('keydown', e => {
    if (e.key == 'ArrowDown' || e.key == 'ArrowUp') { move(box, e.key == 'ArrowDown' ? 1 : -1); e.preventDefault() }
    if (e.key == 'Enter') (box.querySelector('a.on') || box.querySelector('a'))?.click()
    if (e.key == 'Escape') { box.hidden = true; input.blur() }
  })
  box.addEventListener('click', e => { if (e.target.closest('a')) box.hidden = true })
  document.addEventListener('click', e => { if (!e.target.closest('.search')) box.hidden = true })
  document.addEventListener('keydown', e => {
    if (e.key == '/' && !/^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) { input.focus(); e.preventDefault() }
  })
}

document.addEventListener('DOMContentLoaded', () => {
  const menu = document.querySelector('.menu')
  const open = on => { document.body.classList.toggle('open', on); menu.setAttribute('aria-expanded', on) }
  menu.addEventListener('click', () => open(!document.body.classList.contains('open')))
  document.querySelector('.theme').addEventListener('click', toggleTheme)
  const nav = document.querySelector('nav.pages'), here = nav.querySelector('[aria-current]')
  if (here) nav.scrollTop = here.offsetTop - nav.clientHeight / 2
  setUpSearch()
})
