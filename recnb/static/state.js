// What the page knows: the models, the chosen one, the visitor's ratings, and the order of the list.
// Ratings stay in this browser (localStorage), those of each data set on their own, since an id means something else in
// another one.

const STORAGE_KEY = 'recnb'
const listeners = []

export const state = {
  models: [],
  model: null,
  ratings: new Map(), // by item id: {rating, title, year, genres}; the latest rating is the last
  order: { by: '', weight: 0.3 }, // of the list: '', 'diversity' or 'calibrate', and how much
}

// {model: name, ratings: {data set: [[item id, rating, title, year, genres], ...]}, order: {by, weight}}
const stored = readStorage()
if (stored.order?.weight > 0 && stored.order.weight < 1) state.order = stored.order

function readStorage() {
  try {
    const value = JSON.parse(localStorage.getItem(STORAGE_KEY))
    return value && typeof value === 'object' ? value : {}
  } catch {
    return {}
  }
}

function writeStorage() {
  const rows = [...state.ratings].map(([id, { rating, title, year, genres }]) => [id, rating, title, year, genres])
  stored.model = state.model.name
  stored.order = state.order
  stored.ratings = { ...stored.ratings, [state.model.data]: rows }
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(stored))
  } catch {
    // A private window may store nothing; the page works without.
  }
}

/** Calls `listener` after every change of the ratings. */
export function onRatingsChange(listener) {
  listeners.push(listener)
}

function ratingsChanged() {
  writeStorage()
  for (const listener of listeners) listener()
}

/** Chooses a model by name (the first if there is none of that name) and reads the ratings of its data set. */
export function chooseModel(name = stored.model) {
  state.model = state.models.find((model) => model.name === name) || state.models[0]
  const { low, high } = state.model.scale
  const rows = stored.ratings?.[state.model.data]
  const valid = (Array.isArray(rows) ? rows : []).filter((row) => row?.length && row[1] >= low && row[1] <= high)
  state.ratings = new Map(valid.map(([id, rating, title, year, genres]) => [id, { rating, title, year, genres }]))
  writeStorage()
}

/** Keeps the chosen order of the list. */
export function rememberOrder(order) {
  state.order = order
  writeStorage()
}

/** Adds the rating of an item, or changes it. */
export function rate({ item_id, title, year, genres }, rating) {
  const previous = state.ratings.get(item_id) || { title, year, genres }
  state.ratings.delete(item_id)
  state.ratings.set(item_id, { ...previous, rating })
  ratingsChanged()
}

/** Removes one rating. */
export function removeRating(id) {
  state.ratings.delete(id)
  ratingsChanged()
}

/** Removes all ratings. */
export function removeAllRatings() {
  state.ratings.clear()
  ratingsChanged()
}
