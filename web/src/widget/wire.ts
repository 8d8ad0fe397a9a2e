// What goes over the wire, as docs/widget.md has it.
export interface Part {
  type: string
  text?: string
  words?: [text: string, tag: string, href: string][]
  title?: string
  url?: string
  name?: string
  buttons?: { title: string; payload?: string; url?: string }[]
}

export interface Item {
  key: string
  pos: number
  from: string
  id?: string
  name?: string
  unread?: boolean
  gone?: boolean
  parts: Part[]
}

export interface State {
  place: string
  open?: boolean // somebody or something is to answer
  taken?: boolean // and has seen what was said
  line?: string
  rates?: boolean
}

export interface Config {
  title: string
  color?: string
  on_color?: string
  greeting?: string
  speaks_first?: boolean
  form?: { name: string; label: string; required?: boolean }[]
  line?: string // while there is no conversation
  files?: number
  language: string
  texts: Record<string, string>
}

// Said is a message of the visitor's on its way.
export interface Said {
  id: string
  text?: string
  choice?: { title: string; payload: string }
  files?: string[]
  names?: string // of the files
  form?: Record<string, string>
  way?: 'sent' | 'failed'
}

// Fault is an error. Without a status the hub was not reached, which is another thing than a refusal.
export interface Fault {
  status?: number
}
