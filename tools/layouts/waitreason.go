// SPDX-License-Identifier: Apache-2.0
// The texts of runtime.waitReason, a number since Go 1.11 and renumbered in many releases.
package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"strconv"
	"strings"
)

const firstWaitReasonMinor = 11 // before, g.waitreason is a string

// readWaitReasons returns the text of each reason, by its number.
func readWaitReasons(t *toolchain) ([]string, error) {
	runtime, err := t.parse("runtime", func(base string) bool { return base == "runtime2.go" })
	if err != nil {
		return nil, err
	}
	if len(runtime.files) != 1 {
		return nil, fmt.Errorf("go%s: no runtime/runtime2.go", t.text)
	}
	numbers := map[string]int{}
	var texts []string
	for _, decl := range runtime.files[0].Decls {
		decl, ok := decl.(*ast.GenDecl)
		switch {
		case ok && decl.Tok == token.CONST:
			numberConstants(decl, numbers)
		case ok && decl.Tok == token.VAR:
			found, err := stringsOf(decl, numbers)
			if err != nil {
				return nil, fmt.Errorf("go%s: %v", t.text, err)
			}
			texts = append(texts, found...)
		}
	}
	if len(texts) < 2 || texts[0] != "" {
		return nil, fmt.Errorf("go%s: waitReasonStrings not understood", t.text)
	}
	return texts, nil
}

// numberConstants adds `waitReasonZero waitReason = iota` and what follows it.
func numberConstants(decl *ast.GenDecl, numbers map[string]int) {
	first, ok := decl.Specs[0].(*ast.ValueSpec)
	if !ok {
		return
	}
	if typ, ok := first.Type.(*ast.Ident); !ok || typ.Name != "waitReason" {
		return
	}
	for i, spec := range decl.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			numbers[name.Name] = i
		}
	}
}

// stringsOf reads `var waitReasonStrings = [...]string{waitReasonZero: "", ...}`.
func stringsOf(decl *ast.GenDecl, numbers map[string]int) ([]string, error) {
	for _, spec := range decl.Specs {
		spec := spec.(*ast.ValueSpec)
		if spec.Names[0].Name != "waitReasonStrings" || len(spec.Values) != 1 {
			continue
		}
		literal, ok := spec.Values[0].(*ast.CompositeLit)
		if !ok {
			return nil, fmt.Errorf("waitReasonStrings is no literal")
		}
		texts := make([]string, len(literal.Elts))
		for _, element := range literal.Elts {
			pair, ok := element.(*ast.KeyValueExpr)
			if !ok {
				return nil, fmt.Errorf("waitReasonStrings has an element without a key")
			}
			key, isName := pair.Key.(*ast.Ident)
			value, isText := pair.Value.(*ast.BasicLit)
			if !isName || !isText {
				return nil, fmt.Errorf("waitReasonStrings: neither a name nor a text")
			}
			number, known := numbers[key.Name]
			if !known || number >= len(texts) {
				return nil, fmt.Errorf("waitReasonStrings: %s has no number", key.Name)
			}
			text, err := strconv.Unquote(value.Value)
			if err != nil {
				return nil, err
			}
			texts[number] = text
		}
		return texts, nil
	}
	return nil, nil
}

// writeWaitReasons writes one initialiser of struct wait_reasons.
func writeWaitReasons(out *strings.Builder, r release, texts []string) {
	fmt.Fprintf(out, "{ /* go%s */\n\t.minor = %d,\n\t.text = {\n", r.text, r.minor)
	for i, text := range texts {
		fmt.Fprintf(out, "\t\t[%d] = %q,\n", i, text)
	}
	out.WriteString("\t},\n},\n")
}
