import { Chat } from './chat'

// One page has one chat.
if (!customElements.get('dragoman-chat')) {
  customElements.define('dragoman-chat', Chat)
  document.documentElement.append(new Chat()) // the body may not be there yet
}
