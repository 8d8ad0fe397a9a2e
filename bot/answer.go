package bot

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/dragoman-hub/dragoman/chat"
)

// What answers look like. They are read as people write them, not as standards have them.
var (
	numberForm = regexp.MustCompile(`^[+-]?[0-9]{1,15}([.,][0-9]{1,15})?$`)
	emailForm  = regexp.MustCompile(`^[^\s@<>"(),;:]{1,64}@[^\s@<>"(),;:]+\.[^\s@<>"(),;:.]{2,63}$`)
	phoneForm  = regexp.MustCompile(`^\+?[0-9][0-9 ()./-]*$`)
)

// dateForms are the accepted ways to write a date; the day stands before the month.
var dateForms = []string{"2006-01-02", "2.1.2006", "2/1/2006"}

// read turns a message into the value that is stored; an error says why it is no answer.
func (q *question) read(m *chat.Message) (any, error) {
	text := strings.TrimSpace(m.Text())
	if q.kind == "phone" {
		if shared := sharedPhone(m); shared != "" {
			text = shared
		}
	}
	if text == "" {
		return nil, errors.New("there is no text in it")
	}
	switch q.kind {
	case "number":
		return readNumber(text)
	case "email":
		if !emailForm.MatchString(text) || len(text) > 254 || strings.Contains(text, "..") {
			return nil, errors.New("not an email address")
		}
		return text, nil
	case "phone":
		return readPhone(text)
	case "date":
		return readDate(text)
	case "choice":
		return q.pick(text, m.Payload())
	default:
		return text, nil
	}
}

func readNumber(text string) (any, error) {
	if !numberForm.MatchString(text) {
		return nil, errors.New("not a number")
	}
	n, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if err != nil {
		return nil, err
	}
	clean, _, err := tidyNumber(n)
	return clean, err
}

// readPhone gives the digits, with the plus if there was one.
func readPhone(text string) (any, error) {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
	if !phoneForm.MatchString(text) || len(digits) < 5 || len(digits) > 15 {
		return nil, errors.New("not a telephone number")
	}
	if text[0] == '+' {
		return "+" + digits, nil
	}
	return digits, nil
}

// sharedPhone gives the number of a contact card.
func sharedPhone(m *chat.Message) string {
	for _, e := range m.Stack {
		var card chat.ContactCard
		if e.Type == chat.Contact && e.Into(&card) == nil && len(card.Phones) > 0 {
			return card.Phones[0]
		}
	}
	return ""
}

func readDate(text string) (any, error) {
	for _, form := range dateForms {
		if t, err := time.Parse(form, text); err == nil {
			return t.Format(time.DateOnly), nil
		}
	}
	return nil, errors.New("not a date")
}

// pick finds the option that was pressed, or written: its title or value in any case, or its number.
func (q *question) pick(text, payload string) (any, error) {
	for _, o := range q.options {
		if payload == o.value {
			return o.value, nil
		}
	}
	for _, o := range q.options {
		if strings.EqualFold(text, o.title) || strings.EqualFold(text, o.value) {
			return o.value, nil
		}
	}
	if n, err := strconv.Atoi(strings.TrimRight(text, ".)")); err == nil && n >= 1 && n <= len(q.options) {
		return q.options[n-1].value, nil
	}
	return nil, fmt.Errorf("none of the %d options", len(q.options))
}
