package main

import (
	"fmt"
	"runtime/debug"
)

// version is set by the linker in release builds.
var version = "dev"

type versionCmd struct{}

// Run prints version, commit and Go release.
func (versionCmd) Run(t terminal) error {
	commit, goVersion := "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = " " + s.Value
			}
		}
	}
	_, err := fmt.Fprintf(t.out, "dragoman %s%s %s\n", version, commit, goVersion)
	return err
}
