// SPDX-License-Identifier: Apache-2.0
// The lines at which the runtime's map code finds out about a concurrent use. A check that fails when
// the writing flag is set stands at the entry of an operation, or at each of its steps; one that fails
// when the flag is clear stands at the exit, where the operation itself had set it.
package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"sort"
	"strconv"
	"strings"
)

var mapFatals = map[string]bool{
	"concurrent map writes":                  true,
	"concurrent map read and map write":      true,
	"concurrent map iteration and map write": true,
	"concurrent map clone and map write":     true,
}

// check is one line that raises a map fatal.
type check struct {
	function string // as the pclntab names it
	line     int    // of the call to throw or fatal, as a traceback prints it
	exit     bool
}

// readMapChecks returns the checks of a release, by function and line.
func readMapChecks(t *toolchain) ([]check, error) {
	var checks []check
	for _, path := range []string{"runtime", "internal/runtime/maps"} {
		source, err := t.parse(path, func(base string) bool {
			return path != "runtime" || strings.Contains(base, "map")
		})
		if err != nil {
			return nil, err
		}
		for _, file := range source.files {
			found, err := source.checksOf(file)
			if err != nil {
				return nil, fmt.Errorf("go%s: %v", t.text, err)
			}
			checks = append(checks, found...)
		}
	}
	if len(checks) == 0 {
		return nil, fmt.Errorf("go%s: no map check found", t.text)
	}
	sort.Slice(checks, func(i, j int) bool {
		if checks[i].function != checks[j].function {
			return checks[i].function < checks[j].function
		}
		return checks[i].line < checks[j].line
	})
	return checks, nil
}

func (p *pkg) checksOf(file *ast.File) ([]check, error) {
	var checks []check
	pushed := linknames(file)
	for _, decl := range file.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		name := p.symbol(function, pushed)
		count := 0
		var failure error
		ast.Inspect(function.Body, func(node ast.Node) bool {
			if raise(node) != nil {
				count++
			}
			branch, ok := node.(*ast.IfStmt)
			if !ok {
				return true
			}
			for _, statement := range branch.Body.List {
				call := raise(statement)
				if call == nil {
					continue
				}
				exit, err := provesWriteDuring(branch.Cond)
				if err != nil {
					failure = fmt.Errorf("%s: %v", p.set.Position(call.Pos()), err)
				}
				count--
				checks = append(checks, check{name, p.set.Position(call.Pos()).Line, exit})
			}
			return true
		})
		if failure == nil && count != 0 {
			failure = fmt.Errorf("%s raises a map fatal outside an if", name)
		}
		if failure != nil {
			return nil, failure
		}
	}
	return checks, nil
}

// raise returns the call when a statement is throw("concurrent map ...") or fatal(...).
func raise(node ast.Node) *ast.CallExpr {
	statement, ok := node.(*ast.ExprStmt)
	if !ok {
		return nil
	}
	call, ok := statement.X.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return nil
	}
	name, isName := call.Fun.(*ast.Ident)
	text, isText := call.Args[0].(*ast.BasicLit)
	if !isName || !isText || text.Kind != token.STRING {
		return nil
	}
	message, err := strconv.Unquote(text.Value)
	if err != nil || !mapFatals[message] || (name.Name != "throw" && name.Name != "fatal") {
		return nil
	}
	return call
}

// provesWriteDuring tells a check at the exit (the flag is clear that this operation had set, or more
// entries came than the map had) from one at the entry or at a step (the flag is set).
func provesWriteDuring(condition ast.Expr) (bool, error) {
	comparison, ok := condition.(*ast.BinaryExpr)
	if !ok {
		return false, fmt.Errorf("not a comparison")
	}
	zero, ok := comparison.Y.(*ast.BasicLit)
	isFlag := ok && zero.Value == "0" && testsFlag(comparison.X)
	switch {
	case isFlag && comparison.Op == token.EQL, isOverrun(comparison):
		return true, nil
	case isFlag && comparison.Op == token.NEQ:
		return false, nil
	}
	return false, fmt.Errorf("neither a test of the writing flag nor of a length")
}

// isOverrun recognises s.len >= s.cap (runtime.copyKeys).
func isOverrun(comparison *ast.BinaryExpr) bool {
	length, isLength := comparison.X.(*ast.SelectorExpr)
	capacity, isCapacity := comparison.Y.(*ast.SelectorExpr)
	return isLength && isCapacity && comparison.Op == token.GEQ && length.Sel.Name == "len" &&
		capacity.Sel.Name == "cap"
}

// testsFlag recognises h.flags&hashWriting and m.writing.
func testsFlag(expr ast.Expr) bool {
	switch expr := expr.(type) {
	case *ast.BinaryExpr:
		mask, ok := expr.Y.(*ast.Ident)
		return ok && expr.Op == token.AND && mask.Name == "hashWriting"
	case *ast.SelectorExpr:
		return expr.Sel.Name == "writing"
	}
	return false
}

// linknames returns the names under which a file pushes its functions into other packages.
func linknames(file *ast.File) map[string]string {
	names := map[string]string{}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			words := strings.Fields(comment.Text)
			if len(words) == 3 && words[0] == "//go:linkname" {
				names[words[1]] = words[2]
			}
		}
	}
	return names
}

// symbol is the name of a function in the pclntab.
func (p *pkg) symbol(function *ast.FuncDecl, pushed map[string]string) string {
	name := function.Name.Name
	if function.Recv == nil {
		if other, ok := pushed[name]; ok {
			return other
		}
		return p.path + "." + name
	}
	if pointer, ok := function.Recv.List[0].Type.(*ast.StarExpr); ok {
		return fmt.Sprintf("%s.(*%s).%s", p.path, pointer.X, name)
	}
	return fmt.Sprintf("%s.%s.%s", p.path, function.Recv.List[0].Type, name)
}

// writeMapChecks writes the rows of one release.
func writeMapChecks(out *strings.Builder, r release, checks []check) {
	fmt.Fprintf(out, "/* go%s */\n", r.text)
	for _, c := range checks {
		phase := "ENTRY"
		if c.exit {
			phase = "EXIT"
		}
		fmt.Fprintf(out, "{ %d, %d, MAP_CHECK_%s, %q },\n", r.minor, c.line, phase, c.function)
	}
}
