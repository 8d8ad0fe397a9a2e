package webhook

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/dragoman-hub/dragoman/chat"
	"github.com/dragoman-hub/dragoman/connector"
)

// maxRedirects is how often a download may be sent on, as file stores like to do.
const maxRedirects = 3

// downloads fetch attachments.
type downloads struct {
	channel *channel
	request *request        // its url is empty if the attachment's own is called
	hosts   map[string]bool // to which our credentials may go
	own     bool
}

func newDownloads(c *channel, spec downloadSpec, d defaults) (*downloads, error) {
	l := &downloads{channel: c, hosts: map[string]bool{}, own: spec.URL == ""}
	for _, h := range spec.Hosts {
		l.hosts[strings.ToLower(h)] = true
	}
	if l.own && len(l.hosts) == 0 {
		return nil, connector.Malformedf("download.hosts: missing: name the hosts to which the credentials may go, or give a url")
	}
	if l.own {
		spec.URL = "https://" + spec.Hosts[0] + "/" // checked with the rest, and replaced at each download
	}
	d.method, d.url = http.MethodGet, ""
	var err error
	l.request, err = newRequest("download", spec.requestSpec, d)
	return l, err
}

// Download implements connector.Downloader.
func (l *downloads) Download(ctx context.Context, src chat.Source) (connector.Attachment, error) {
	input := place(chat.Thread{}, l.channel.env.Now())
	input["id"], input["url"] = valid(src.ID), valid(src.URL)
	r := *l.request
	if l.own {
		address, err := l.allowed(src.URL)
		if err != nil {
			return connector.Attachment{}, err
		}
		r.url = text{pieces: []piece{{plain: address}}}
	}
	req, err := r.build(ctx, input, "", l.channel.env.Now())
	if err != nil {
		return connector.Attachment{}, err
	}
	res, err := l.client().Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // its text has the address
		}
		return connector.Attachment{}, &connector.Error{Policy: connector.Retry, Code: "no_answer", Detail: "download", Err: err}
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		a := readAnswer(connector.Answer{Status: res.StatusCode, Header: res.Header})
		return connector.Attachment{}, r.judge.check(ctx, a, l.channel.env.Now())
	}
	return connector.Attachment{Name: nameOf(res, req.URL), MIME: typeOf(res), Size: res.ContentLength, Body: res.Body}, nil
}

// allowed checks an attachment's own address.
func (l *downloads) allowed(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !l.hosts[strings.ToLower(u.Host)] {
		return "", &connector.Error{Policy: connector.Forbidden, Code: "host", Detail: "the attachment's host is not among download.hosts"}
	}
	return u.String(), nil
}

// client follows redirects, but takes no credentials along.
func (l *downloads) client() *http.Client {
	c := *l.channel.client
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errors.New("more than " + strconv.Itoa(maxRedirects) + " redirects")
		}
		req.Header = http.Header{}
		return nil
	}
	return &c
}

func nameOf(res *http.Response, u *url.URL) string {
	if _, params, err := mime.ParseMediaType(res.Header.Get("Content-Disposition")); err == nil && params["filename"] != "" {
		return path.Base(params["filename"])
	}
	if base := path.Base(u.Path); strings.Contains(base, ".") && base != "." {
		return base
	}
	return ""
}

func typeOf(res *http.Response) string {
	kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}
