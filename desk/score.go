package desk

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"github.com/dragoman-hub/dragoman/chat"
)

// Facts are what a rule may know of a conversation and its contact.
type Facts struct {
	Conversation ConversationFacts
	Contact      ContactFacts
	Fields       map[string]any
}

// ConversationFacts are what an expression sees as conversation.
type ConversationFacts struct {
	ID       string   `expr:"id"`
	Channel  string   `expr:"channel"`
	Queue    string   `expr:"queue"`
	Priority int      `expr:"priority"`
	Tags     []string `expr:"tags"`
}

// ContactFacts are what an expression sees as contact.
type ContactFacts struct {
	ID         string         `expr:"id"`
	Name       string         `expr:"name"`
	Language   string         `expr:"language"`
	Properties map[string]any `expr:"properties"`
}

// agentFacts are what an expression sees as agent.
type agentFacts struct {
	ID       string         `expr:"id"`
	Load     int            `expr:"load"`
	Capacity int            `expr:"capacity"`
	Skills   map[string]int `expr:"skills"`
}

type scoreEnv struct {
	Agent        agentFacts        `expr:"agent"`
	Conversation ConversationFacts `expr:"conversation"`
	Contact      ContactFacts      `expr:"contact"`
	Fields       map[string]any    `expr:"fields"`
}

// Limits of a score. An expression has no loops, so that its size bounds its time.
const (
	maxScore      = 4 << 10 // bytes of source
	maxScoreNodes = 500
	scoreBudget   = 250_000 // of one evaluation, as the expression package counts memory
)

// Score is an expression that rates an agent for a conversation. It belongs to one goroutine.
type Score struct {
	program *vm.Program
	machine vm.VM
}

// CompileScore checks an expression: names, types, and that it is only one.
func CompileScore(source string) (*Score, error) {
	if strings.TrimSpace(source) == "" || len(source) > maxScore {
		return nil, fmt.Errorf("1 to %d bytes", maxScore)
	}
	g := &plainOnly{}
	program, err := expr.Compile(source, expr.Env(scoreEnv{}), expr.MaxNodes(maxScoreNodes), expr.Patch(g))
	if err == nil && g.found != "" {
		err = errors.New(g.found + " is not available here")
	}
	if err != nil {
		return nil, errors.New(firstLine(err.Error()))
	}
	return &Score{program: program}, nil
}

// plain are the functions whose time and result are no larger than their arguments.
var plain = []string{
	"len", "lower", "upper", "trim", "int", "float", "abs", "ceil", "floor", "round", "max", "min", "hasPrefix", "hasSuffix", "get", "string",
}

// plainOnly looks for what an expression must not have: loops, the clock, whatever can grow.
type plainOnly struct{ found string }

// Visit is called for every node.
func (p *plainOnly) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.PredicateNode:
		p.found = "a loop"
	case *ast.BuiltinNode:
		if !slices.Contains(plain, n.Name) {
			p.found = n.Name
		}
	case *ast.CallNode:
		p.found = "a call"
	case *ast.IdentifierNode:
		if strings.HasPrefix(n.Value, "$") {
			p.found = n.Value
		}
	case *ast.BinaryNode:
		if n.Operator == ".." {
			p.found = "a range"
		}
	}
}

// rate scores an agent. False: the expression says that this one is not to be asked (false or nil).
func (s *Score) rate(a *Agent, f *Facts) (score float64, ok bool, err error) {
	env := scoreEnv{Agent: agentFacts{string(a.ID), a.Load, a.Capacity, a.Skills}, Conversation: f.Conversation, Contact: f.Contact, Fields: f.Fields}
	s.machine.MemoryBudget = scoreBudget
	v, err := s.machine.Run(s.program, env)
	if err != nil {
		return 0, false, errors.New(firstLine(err.Error()))
	}
	switch x := v.(type) {
	case nil:
		return 0, false, nil
	case bool:
		if !x {
			return 0, false, nil
		}
		return 1, true, nil
	case int:
		return float64(x), true, nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return 0, false, errors.New("the score is no number that can be compared")
		}
		return x, true, nil
	default:
		return 0, false, fmt.Errorf("a score is a number, true, false or nil, not %T", v)
	}
}

// firstLine cuts off the drawing that the expression package makes for terminals.
func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// factsOf makes facts of what the log knows.
func factsOf(c chat.Conversation, language string, properties json.RawMessage) *Facts {
	f := &Facts{
		Conversation: ConversationFacts{ID: string(c.ID), Channel: string(c.Channel), Queue: c.Queue, Priority: c.Priority, Tags: c.Tags},
		Contact:      ContactFacts{ID: string(c.Contact.ID), Name: c.Contact.Name, Language: language, Properties: map[string]any{}},
		Fields:       map[string]any{},
	}
	_ = json.Unmarshal(properties, &f.Contact.Properties) // an object, or nothing to know
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		var v any
		if json.Unmarshal(c.Fields[name], &v) == nil {
			f.Fields[name] = v
		}
	}
	return f
}
