package connectortest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// writeRequest writes a request as it was seen. It keeps the headers that the transcript names; a request that
// had none yet gets the ones that usually matter.
func writeRequest(st *step, s seen) (*section, *section) {
	names := []string{"Authorization", "Content-Type"}
	if st.request != nil {
		names = headerNames(st.request)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s\n", s.method, s.url)
	for _, name := range names {
		values := s.header.Values(name)
		if strings.HasPrefix(s.header.Get(name), "multipart/") {
			values = []string{"*"} // the boundary is another every time
		}
		for _, v := range values {
			fmt.Fprintf(&out, "%s: %s\n", name, v)
		}
	}
	return &section{"request", []byte(out.String())}, requestBody(s)
}

// headerNames are the names in a head section, in its order.
func headerNames(s *section) []string {
	var names []string
	for i, line := range strings.Split(strings.TrimSpace(string(s.data)), "\n") {
		if name, _, ok := strings.Cut(line, ":"); ok && i > 0 && !strings.HasPrefix(line, "#") {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

func requestBody(s seen) *section {
	if len(s.body) == 0 {
		return nil
	}
	kind := s.header.Get("Content-Type")
	if isJSON(kind) && json.Valid(s.body) {
		return &section{"json", pretty(s.body)}
	}
	fields, err := formFields(s)
	if err != nil {
		return writeBody(s.body)
	}
	raw, err := json.Marshal(pair(fieldsAsJSON(fields), fields))
	if err != nil {
		return writeBody(s.body)
	}
	if strings.HasPrefix(kind, "multipart/") {
		return &section{"multipart", pretty(raw)}
	}
	return &section{"form", pretty(raw)}
}

// fieldsAsJSON names the fields whose text is a JSON object or list, so that pair reads them.
func fieldsAsJSON(fields map[string][]any) []byte {
	names := map[string]any{}
	for name, values := range fields {
		text, ok := values[0].(string)
		if ok && (strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[")) && json.Valid([]byte(text)) {
			names[name] = map[string]any{"json": true}
		}
	}
	raw, _ := json.Marshal(names) // maps of text and true: cannot fail
	return raw
}

// lineWidth is how long a line of written JSON may be.
const lineWidth = 110

// pretty lays JSON out for readers: what fits on a line stays on one.
func pretty(raw []byte) []byte {
	var compact bytes.Buffer
	if json.Compact(&compact, raw) != nil {
		return raw
	}
	var out bytes.Buffer
	layout(&out, compact.Bytes(), "")
	out.WriteByte('\n')
	return out.Bytes()
}

func layout(out *bytes.Buffer, v []byte, indent string) {
	if len(indent)+len(v) <= lineWidth || (v[0] != '{' && v[0] != '[') {
		out.Write(v)
		return
	}
	out.WriteByte(v[0])
	deeper := indent + "  "
	for i, member := range members(v) {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n" + deeper)
		if v[0] == '{' {
			name := nameEnd(member)
			out.Write(member[:name])
			out.WriteByte(' ')
			member = member[name:]
		}
		layout(out, member, deeper)
	}
	out.WriteString("\n" + indent)
	out.WriteByte(v[len(v)-1])
}

// members cuts a compact object or list at its own commas.
func members(v []byte) [][]byte {
	var all [][]byte
	depth, text, from := 0, false, 1
	for i := 1; i < len(v)-1; i++ {
		switch c := v[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth == 0:
			all = append(all, v[from:i])
			from = i + 1
		}
	}
	return append(all, v[from:len(v)-1])
}

// nameEnd is where the value of a member begins.
func nameEnd(member []byte) int {
	for i := 1; i < len(member); i++ {
		switch member[i] {
		case '\\':
			i++
		case '"':
			return i + 2
		}
	}
	return 0
}

// writeBody writes bytes as they are if they can stand in a text file.
func writeBody(data []byte) *section {
	text := !bytes.HasPrefix(data, []byte("-- ")) && !bytes.Contains(data, []byte("\n-- "))
	if isText(data) && text {
		return &section{"body", append(bytes.Clone(data), '\n')}
	}
	return &section{"body base64", []byte(base64.StdEncoding.EncodeToString(data) + "\n")}
}
