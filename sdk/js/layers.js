// The layers that an event yields, one bubble each. The last argument of all may give { meta, state }.

const layer = (type, payload, { meta = {}, state = {} } = {}) => ({ type, payload, meta, state })

// text is Markdown, with the sources that it rests on.
export const text = (content, { references = {}, toolCalls = [], ...rest } = {}) =>
  layer('message', { content, references, tool_calls: toolCalls }, rest)

// stream is a text that grows while it is made. Deltas is any iterable, synchronous or not, of texts.
export const stream = (deltas, { references = {}, ...rest } = {}) =>
  ({ ...layer('message_chunk', null, rest), deltas, references })

// fileUpload asks for a file; files gives the largest size in bytes by extension: { pdf: 5_000_000 }.
export const fileUpload = (content, files, { maxFiles, ...rest } = {}) => {
  const sizes = Object.entries(files).map(([extension, size]) => [extension, { max_size: size }])
  const payload = { content, files: Object.fromEntries(sizes) }
  if (maxFiles) payload.max_files = maxFiles
  return layer('file_upload', payload, rest)
}

export const fileDownload = ({ content = '', name, url }, rest) => layer('file_download', { content, name, url }, rest)

export const thumbsRating = ({ hint = null, fullConversation = false, ...rest } = {}) =>
  layer('thumbs_rating', { hint, merge_to_prev: true, full_conversation: fullConversation }, rest)

export const starRating = ({ hint = null, stars = 5, explanation = null, fullConversation = false, ...rest } = {}) =>
  layer('star_rating', {
    hint, merge_to_prev: false, full_conversation: fullConversation, num_stars: stars, explanation,
  }, rest)

export const textFeedback = ({ hint = null, placeholder = null, fullConversation = false, ...rest } = {}) =>
  layer('text_feedback', { hint, merge_to_prev: false, full_conversation: fullConversation, placeholder }, rest)

// buttons is a text with things to press below it: [{ id, title }] or [{ title, url }]. once: they vanish when one is pressed. It is
// Dragoman's own: ChatFAQ's widget draws it in a custom frame only.
export const buttons = (content, list, { once = false, ...rest } = {}) => layer(once ? 'quick_replies' : 'buttons', {
  content, buttons: list.map(({ id, title, url }) => ({ title, ...(id != null && { payload: String(id) }), ...(url && { url }) })),
}, rest)

export const toolUse = ({ id, name, args = {} }, rest) => layer('tool_use', { id, name, args }, rest)

export const toolResult = ({ id, name, result }, rest) => layer('tool_result', { id, name, result }, rest)

// gtmTag is pushed to the page's window.dataLayer.
export const gtmTag = (tag, rest) => layer('gtm_tag', tag, rest)

export const closeConversation = (rest) => layer('close_conversation', {}, rest)

// custom is any other layer that the client knows.
export const custom = (type, payload, rest) => layer(type, payload, rest)
