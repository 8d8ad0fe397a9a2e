package bot

import (
	"fmt"
	"strings"
)

// Problem is one fault of a definition. Path says where, as in "states[2].events[0].ask.type"; it is empty
// for the definition as a whole.
type Problem struct {
	Path   string `json:"path"`
	Detail string `json:"detail"`
}

// InvalidError is the error of Parse: every fault that was found, at most 100, in the order of the definition.
type InvalidError struct {
	Problems []Problem `json:"problems"`
}

func (e *InvalidError) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		lines = append(lines, strings.TrimPrefix(p.Path+": "+p.Detail, ": "))
	}
	return "invalid flow: " + strings.Join(lines, "; ")
}

// maxProblems bounds the list: a definition that is wrong everywhere is not worth a longer answer.
const maxProblems = 100

// faults collects problems.
type faults struct {
	problems []Problem
}

func (f *faults) addf(path, format string, args ...any) {
	if len(f.problems) < maxProblems {
		f.problems = append(f.problems, Problem{Path: path, Detail: fmt.Sprintf(format, args...)})
	}
}

func (f *faults) err() error {
	if len(f.problems) == 0 {
		return nil
	}
	return &InvalidError{Problems: f.problems}
}
