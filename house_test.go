package dragoman_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// The limits of the house, in lines.
const (
	longestFile     = 600
	longestFunction = 100 // tables aside
)

// rules checks the house rules that parsing can check and answers with what it found.
func rules(fset *token.FileSet, s source) []string {
	if ast.IsGenerated(s.file) {
		return nil
	}
	var found []string
	report := func(n ast.Node, format string, args ...any) {
		at := fset.Position(n.Pos())
		found = append(found, fmt.Sprintf("%s:%d: ", s.path, at.Line)+fmt.Sprintf(format, args...))
	}
	if s.lines > longestFile {
		report(s.file, "%d lines, at most %d", s.lines, longestFile)
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.Name == "init" && d.Recv == nil {
				report(d, "no init: hand things in")
			}
			if n := lines(fset, d) - tableLines(fset, d); n > longestFunction {
				report(d, "%s has %d lines besides its tables, at most %d", d.Name.Name, n, longestFunction)
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR && !s.isTest() {
				checkVars(d, s, report)
			}
		}
	}
	return found
}

func lines(fset *token.FileSet, n ast.Node) int {
	return fset.Position(n.End()).Line - fset.Position(n.Pos()).Line + 1
}

// tableLines counts the lines of list and map literals in a function, without their first and last.
func tableLines(fset *token.FileSet, n ast.Node) int {
	sum := 0
	ast.Inspect(n, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok || !isCollection(lit) {
			return true
		}
		sum += max(0, lines(fset, lit)-2)
		return false
	})
	return sum
}

func isCollection(lit *ast.CompositeLit) bool {
	switch lit.Type.(type) {
	case *ast.ArrayType, *ast.MapType:
		return true
	default:
		return false
	}
}

func checkVars(d *ast.GenDecl, s source, report func(ast.Node, string, ...any)) {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if embedded(d.Doc) || embedded(v.Doc) {
			continue
		}
		for i, name := range v.Names {
			var value ast.Expr
			if i < len(v.Values) {
				value = v.Values[i]
			}
			if !allowedVar(name.Name, value, s) {
				report(name, "package-level var %s: only errors, tables, compiled patterns, embeds and interface guards", name.Name)
			}
		}
	}
}

func embedded(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:embed ") {
			return true
		}
	}
	return false
}

// allowedVar judges one package-level variable by its form.
func allowedVar(name string, value ast.Expr, s source) bool {
	if name == "_" {
		return true // an interface guard
	}
	isError := strings.HasPrefix(name, "Err") || strings.HasPrefix(name, "err")
	switch v := value.(type) {
	case *ast.CompositeLit:
		return isTable(v)
	case *ast.UnaryExpr: // &Error{...}
		_, ok := v.X.(*ast.CompositeLit)
		return ok && isError
	case *ast.CallExpr:
		switch called(v) {
		case "errors.New", "fmt.Errorf":
			return isError
		case "regexp.MustCompile":
			return true
		case "sync.OnceValue", "sync.OnceValues": // one server for a whole test process
			return isKit(s.folder)
		}
		return isWords(v)
	case *ast.BasicLit: // set by the linker
		return within(s.folder, "cmd") && name == "version"
	default:
		return false
	}
}

// isWords tells a table made of words alone: []byte("...") or set("a", "b").
func isWords(call *ast.CallExpr) bool {
	switch call.Fun.(type) {
	case *ast.ArrayType, *ast.Ident:
	default:
		return false
	}
	for _, arg := range call.Args {
		if lit, ok := arg.(*ast.BasicLit); !ok || lit.Kind != token.STRING {
			return false
		}
	}
	return len(call.Args) > 0
}

// isTable tells a literal that holds something from one that waits to be filled, and from locks and pools.
func isTable(lit *ast.CompositeLit) bool {
	if sel, ok := lit.Type.(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "sync" || x.Name == "atomic") {
			return false
		}
	}
	return len(lit.Elts) > 0 || !isCollection(lit)
}

func called(call *ast.CallExpr) string {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + sel.Sel.Name
}

func TestHouseRules(t *testing.T) {
	fset, all := sources(t)
	for _, s := range all {
		for _, found := range rules(fset, s) {
			t.Error(found)
		}
	}
}

// TestHouseRulesCatch plants one offence per case, and what looks like one and is none.
func TestHouseRulesCatch(t *testing.T) {
	long := strings.Repeat("\n\tprintln()", 99)
	table := strings.Repeat("\n\t\t1,", 200)
	for _, c := range []struct {
		name, folder, text, want string
	}{
		{"init", "hub", "func init() {}", "no init"},
		{"method named init", "hub", "type a int\nfunc (a) init() {}", ""},
		{"long function", "hub", "func f() {" + long + "\n}", "f has 101 lines"},
		{"function at the limit", "hub", "func f() {" + long[:len(long)-11] + "\n}", ""},
		{"table in a function", "hub", "func f() {\n\t_ = []int{" + table + "\n\t}\n}", ""},
		{"long file", "hub", strings.Repeat("\n", 600), "601 lines"},
		{"counter", "hub", "var n int", "package-level var n"},
		{"initialised counter", "hub", "var n = 5", "package-level var n"},
		{"cache", "hub", "var cache = map[string]int{}", "package-level var cache"},
		{"lock", "hub", "var mu = sync.Mutex{}", "package-level var mu"},
		{"call", "hub", "var now = time.Now()", "package-level var now"},
		{"call of our own", "hub", "var c = newCache(100)", "package-level var c"},
		{"once outside a kit", "hub", "var once = sync.OnceValue(start)", "package-level var once"},
		{"once in a kit", "store/pgtest", "var shared = sync.OnceValue(start)", ""},
		{"words", "hub", `var words = set("a", "b")`, ""},
		{"error without its name", "hub", `var oops = errors.New("x")`, "package-level var oops"},
		{"pointer that is no error", "hub", "var hub = &Hub{A: 1}", "package-level var hub"},
		{"second of two", "hub", "var (\n\tErrA = errors.New(\"\")\n\tb, c = 1, 2\n)", "package-level var b"},
		{"version outside cmd", "hub", `var version = "dev"`, "package-level var version"},
		{"error", "hub", `var ErrGone = errors.New("gone")`, ""},
		{"error with a policy", "hub", "var ErrGone = &Error{Code: 1}", ""},
		{"table", "hub", "var table = map[string]int{\"a\": 1}", ""},
		{"struct", "connector/x", "var Platform = connector.Platform{Name: \"x\"}", ""},
		{"pattern", "hub", "var word = regexp.MustCompile(`a`)", ""},
		{"embed", "web", "//go:embed dist\nvar files embed.FS", ""},
		{"guard", "hub", "var _ Reader = (*file)(nil)", ""},
		{"version", "cmd/dragoman", `var version = "dev"`, ""},
		{"constant", "hub", "const n = 5", ""},
		{"generated", "hub", "// Code generated by x. DO NOT EDIT.\n\nvar n int", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fset := token.NewFileSet()
			text := "package x\n" + c.text
			if c.name == "generated" {
				text = c.text[:strings.Index(c.text, "\n")] + "\n\npackage x\n\nvar n int\n"
			}
			file, err := parser.ParseFile(fset, "x.go", text, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			got := rules(fset, source{c.folder + "/x.go", c.folder, file, strings.Count(text, "\n")})
			joined := strings.Join(got, "\n")
			if c.want == "" && joined != "" || !strings.Contains(joined, c.want) {
				t.Errorf("got %q, want %q", joined, c.want)
			}
		})
	}
}
