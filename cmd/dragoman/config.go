package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// configLimit bounds the file with settings, in bytes.
const configLimit = 1 << 20

// config is the file that --config names: one JSON object with settings, named as the flags are. It stands below the environment,
// and it speaks of settings only: flags that have a variable of their own.
type config map[string]any

// readConfig reads the file (kong.ConfigurationLoader).
func readConfig(r io.Reader) (kong.Resolver, error) {
	var c config
	dec := json.NewDecoder(io.LimitReader(r, configLimit))
	dec.UseNumber()
	if err := dec.Decode(&c); err != nil || c == nil {
		return nil, fmt.Errorf(`the file wants one JSON object, such as {"listen": "127.0.0.1:8080"}: %w`, orError(err, errors.New("null")))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has something behind its JSON object")
	}
	return c, nil
}

// Validate finds names that are no settings: a setting that is spelled wrong must not be passed over.
func (c config) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, command := range app.Children {
		for _, flag := range command.Flags {
			if isSetting(flag) {
				known[flag.Name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if !known[name] && !known[strings.ReplaceAll(name, "_", "-")] {
			return fmt.Errorf("the file has %q, which is no setting: they are %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return nil
}

// Resolve finds a flag's value, unless the environment has one.
func (c config) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !isSetting(flag) || slices.ContainsFunc(flag.Envs, isSet) {
		return nil, nil
	}
	for _, name := range []string{flag.Name, strings.ReplaceAll(flag.Name, "-", "_")} {
		v, ok := c[name]
		if !ok {
			continue
		}
		return asFlag(v)
	}
	return nil, nil
}

// asFlag gives a value in the form in which flags are given.
func asFlag(v any) (any, error) {
	switch v := v.(type) {
	case string, bool:
		return v, nil
	case json.Number:
		return v.String(), nil
	case []any:
		words := make([]string, len(v))
		for i, item := range v {
			s, ok := item.(string)
			if !ok || strings.Contains(s, ",") {
				return nil, errors.New("wants a list of texts")
			}
			words[i] = s
		}
		return strings.Join(words, ","), nil
	default:
		return nil, errors.New("wants a text, a number, true or false")
	}
}

func isSetting(flag *kong.Flag) bool { return len(flag.Envs) > 0 && flag.Name != "config" }

func isSet(name string) bool {
	_, ok := os.LookupEnv(name)
	return ok
}
