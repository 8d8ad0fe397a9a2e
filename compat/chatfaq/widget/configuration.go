package widget

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
)

// defaults are the members of a widget's configuration that a channel's settings may leave out.
func defaults() map[string]any {
	return map[string]any{
		"css": "", "lang": "en", "title": "", "subtitle": "", "full_screen": false, "only_chat": false, "start_small_mode": false,
		"start_with_history_closed": false, "sources_first": false, "stick_input_prompt": false, "allow_attachments": false,
		"disable_day_night_mode": false, "enable_logout": false, "speech_recognition": false, "speech_recognition_lang": "en-US",
		"speech_recognition_auto_send": false, "speech_recognition_phrase_activation": nil, "speech_recognition_beep": false,
		"speech_recognition_always_on": false, "speech_synthesis": false, "speech_synthesis_pitch": 1, "speech_synthesis_rate": 1,
		"speech_synthesis_voices": "", "speech_synthesis_enabled_by_default": false, "fit_to_parent": false, "custom_css": "",
		"initial_conversation_metadata": map[string]any{}, "custom_i_framed_msgs": map[string]any{}, "enable_resend": false, "theme": nil,
	}
}

// configuration is a channel's settings as the widget wants them; its id is the channel's.
func (s *Server) configuration(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	x, err := s.sites.channel(r.Context(), chat.ChannelID(id))
	if chat.CodeOf(err) == chat.CodeNotFound || err == nil && !x.active {
		return errNotFound()
	}
	if err != nil {
		return err
	}
	if x.settings.AuthenticationRequired || r.Header.Get("Widget-Id") != id || !x.shows(r.Header.Get("Referer")) {
		if good, err := s.good(r.Context(), x.workspace, bearer(r)); err != nil || !good {
			return orProblem(err, http.StatusUnauthorized, "Authentication credentials were not provided.")
		}
	}
	c := defaults()
	for name, v := range x.settings.Widget {
		c[name] = v
	}
	if x.settings.Title != "" {
		c["title"] = x.settings.Title
	}
	c["id"], c["name"], c["domain"], c["fsm_def"] = id, x.name, x.settings.Domain, x.flow
	c["chatfaq_ws"] = "ws" + strings.TrimPrefix(s.base(r), "http")
	c["authentication_required"] = x.settings.AuthenticationRequired
	return answer(w, http.StatusOK, c)
}

// shows tells whether a page may read the configuration.
func (x site) shows(referer string) bool {
	if x.settings.Domain == "" {
		return true
	}
	u, err := url.Parse(referer)
	return err == nil && (u.Host == x.settings.Domain || u.Hostname() == x.settings.Domain)
}
