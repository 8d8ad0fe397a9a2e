// Strokes on a grid of 24.
const strokes = {
  desk: 'M4 5h16v10H10l-4 4v-4H4z',
  admin: 'M4 7h9M17 7h3M4 12h3M11 12h9M4 17h7M15 17h5M15 5v4M9 10v4M13 15v4',
  wall: 'M4 20V10M10 20V4M16 20v-7M21 20H3',
  play: 'M7 5l11 7-11 7z',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c1-4 4-6 8-6s7 2 8 6',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M4 12l16-7-6 15-3-6z',
  clip: 'M19 11l-7 7a4.500 4.500 0 0 1-6.500-6.500l8-8a3 3 0 0 1 4.500 4.500l-8 8a1.500 1.500 0 0 1-2.200-2.200l6.700-6.800',
  note: 'M5 4h14v10l-5 6H5zM14 20v-6h5',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  check: 'M5 13l4 4L19 7',
  checks: 'M2 13l4 4L15 8M11 15l2 2 9-9',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2',
  warn: 'M12 4l9 16H3zM12 10v4M12 17h.01',
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  moon: 'M20 14a8 8 0 1 1-9-10 6.500 6.500 0 0 0 9 10z',
  transfer: 'M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4',
  reply: 'M10 6l-6 6 6 6M4 12h9c4 0 7 2 7 6',
  smile: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 14c2 3 6 3 8 0M9 9h.01M15 9h.01',
  edit: 'M4 20l1-4L16 5l3 3L8 19z',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  inbox: 'M4 13l3-8h10l3 8v6H4zM4 13h5l1 3h4l1-3h5',
  bell: 'M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4',
  keys: 'M3 7h18v10H3zM7 11h.01M11 11h.01M15 11h.01M8 14h8',
  plus: 'M12 5v14M5 12h14',
  tag: 'M4 4h8l8 8-8 8-8-8zM8 8h.01',
  bot: 'M5 9h14v10H5zM12 9V5M9 13v2M15 13v2',
  bolt: 'M13 3L5 14h6l-1 7 8-11h-6z',
  eye: 'M2 12c3-5 6-7 10-7s7 2 10 7c-3 5-6 7-10 7s-7-2-10-7zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  trash: 'M5 7h14M10 4h4M7 7l1 13h8l1-13',
  undo: 'M8 5L4 9l4 4M4 9h10a5 5 0 0 1 0 10h-3',
  panel: 'M4 5h16v14H4zM14 5v14',
}

export type IconName = keyof typeof strokes

// Icon is a picture beside words; alone it needs a title on its button.
export function Icon({ name, turns }: { name: IconName; turns?: boolean }) {
  return (
    <svg class={'icon-svg' + (turns ? ' turns' : '')} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={strokes[name]} />
    </svg>
  )
}
