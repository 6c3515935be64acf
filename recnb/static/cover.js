// A drawn cover for each item: colours and pattern by its genre, initials by its title.

const SVG = 'http://www.w3.org/2000/svg'
const ARTICLES = new Set(['a', 'an', 'the', 'le', 'la', 'les', 'el', 'der', 'die', 'das'])
const WIDTH = 40
const HEIGHT = 56

/** A number that depends on a text only. */
function hash(text) {
  let value = 7
  for (const letter of text) value = (value * 31 + letter.codePointAt(0)) % 1_000_003
  return value
}

function draw(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value)
  node.append(...children)
  return node
}

/** The first letters of at most two words, of any script. */
export function initials(title) {
  const words = title.match(/[\p{L}\p{N}]+/gu) || ['?']
  const telling = words.filter((word) => !ARTICLES.has(word.toLowerCase()))
  return (telling.length ? telling : words)
    .slice(0, 2)
    .map((word) => Array.from(word)[0].toUpperCase())
    .join('')
}

const circles = (n, fill) =>
  [0, 1, 2].map((i) => draw('circle', { cx: (n * (i + 3)) % WIDTH, cy: 10 + 18 * i, r: 6 + ((n + i) % 9), fill }))
const stripes = (n, fill) =>
  [0, 1, 2].map((i) =>
    draw('rect', {
      x: -20,
      y: 6 + i * 18 + (n % 7),
      width: 90,
      height: 7,
      fill,
      transform: `rotate(${-30 + (n % 5) * 15} 20 28)`,
    }),
  )
const hills = (n, fill) =>
  [0, 1].map((i) =>
    draw('path', {
      d: `M0 ${38 + 8 * i} Q${8 + (n % 20)} ${18 + 12 * i} 22 ${38 + 6 * i} T${WIDTH} ${34 + 8 * i} V${HEIGHT} H0 Z`,
      fill,
    }),
  )
const rays = (n, fill) =>
  [0, 1, 2, 3].map((i) => draw('path', { d: `M${n % WIDTH} 0 L${i * 18 - 12} ${HEIGHT} h8 Z`, fill }))
const PATTERNS = [circles, stripes, hills, rays]

/** The cover of an item; a screen reader has the title beside it. */
export function cover({ title, genres }) {
  const genre = hash(genres?.[0] ?? title)
  const n = hash(title)
  const hue = (genre * 47) % 360
  const fill = `hsl(${(hue + 20 + (n % 30)) % 360} 45% ${40 + (n % 12)}%)`
  const text = { x: '50%', y: '58%', 'text-anchor': 'middle', fill: '#fff', 'font-size': 17, 'font-weight': 700 }
  return draw(
    'svg',
    { class: 'cover', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' },
    draw('rect', { width: WIDTH, height: HEIGHT, fill: `hsl(${hue} 42% 30%)` }),
    ...PATTERNS[genre % PATTERNS.length](n, fill),
    draw('text', text, initials(title)),
  )
}
