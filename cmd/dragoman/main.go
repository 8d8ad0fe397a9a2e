// Command dragoman is the hub and the tool to look after it. It reads flags, wires the parts together and runs them; everything
// else is in the packages below.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // flows name time zones, also where the system knows none

	"github.com/alecthomas/kong"

	"github.com/dragoman-hub/dragoman/chat"
)

// commands is the command line. Flags stand above DRAGOMAN_* in the environment, those above the file that --config names.
type commands struct {
	Config kong.ConfigFlag `help:"JSON file with settings, named as the flags are." type:"path" env:"DRAGOMAN_CONFIG"`

	Serve   serveCmd   `cmd:"" help:"Run the hub."`
	Channel channelCmd `cmd:"" help:"List, add, check, change and delete channels."`
	Flow    flowCmd    `cmd:"" help:"List, show, check, store and draw flows."`
	Say     sayCmd     `cmd:"" help:"Talk to a flow from the terminal."`
	Replay  replayCmd  `cmd:"" help:"Run a conversation through its flow again and compare the decisions."`
	Route   routeCmd   `cmd:"" help:"Tell why a conversation is where it is, and what another rule would have done."`
	Token   tokenCmd   `cmd:"" help:"List, make and revoke API tokens."`
	User    userCmd    `cmd:"" help:"List and invite the people who work here, and reset their passwords."`
	Doctor  doctorCmd  `cmd:"" help:"Look for what is wrong."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// terminal is where a command reads and writes.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr}))
}

// run is the program without the process around it: 0 went well, 1 failed, 2 was not understood.
func run(ctx context.Context, args []string, t terminal) (status int) {
	var c commands
	exited := false
	parser, err := kong.New(&c, kong.Name("dragoman"), kong.Description("A self-hosted hub between messaging platforms, bots, people and CRMs."),
		kong.UsageOnError(), kong.Configuration(readConfig), kong.Writers(t.out, t.err), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) { exited, status = true, code }))
	if err != nil {
		_, _ = fmt.Fprintln(t.err, "dragoman:", err)
		return 2
	}
	k, err := parser.Parse(args)
	if exited { // --help
		return status
	}
	if err != nil {
		parser.FatalIfErrorf(err)
		return 2
	}
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(t); err != nil && !errors.Is(err, context.Canceled) {
		_, _ = fmt.Fprintln(t.err, "dragoman:", words(err))
		return 1
	}
	return 0
}

// words says what went wrong the way people read it.
func words(err error) string {
	if f, ok := errors.AsType[*chat.Fault](err); ok && f.Code != chat.CodeUnavailable {
		return f.Detail
	}
	return err.Error()
}
