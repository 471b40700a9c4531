// SPDX-License-Identifier: Apache-2.0
// Offsets and sizes of runtime structures, from the debug information of a program.
package main

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// absent marks what a Go version does not have: GO_ABSENT in golang/layout.h.
const absent = -1

// field is one line of layout_fields.def.
type field struct {
	name  string   // G_GOID
	size  bool     // the size of a structure, not the offset of a member
	paths []string // spellings, tried in order
}

var (
	fieldLine = regexp.MustCompile(`^(FIELD|SIZE)\((\w+),\s*(.*)\)$`)
	quoted    = regexp.MustCompile(`"([^"]+)"`)
)

func readFields(path string) ([]field, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var fields []field
	for number, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		match := fieldLine.FindStringSubmatch(line)
		if match == nil {
			return nil, fmt.Errorf("%s:%d: neither FIELD(...) nor SIZE(...)", path, number+1)
		}
		f := field{name: match[2], size: match[1] == "SIZE"}
		for _, path := range quoted.FindAllStringSubmatch(match[3], -1) {
			f.paths = append(f.paths, path[1])
		}
		if len(f.paths) == 0 {
			return nil, fmt.Errorf("%s:%d: no spelling", path, number+1)
		}
		fields = append(fields, f)
	}
	return fields, nil
}

// splitPath cuts "internal/abi.Type.Size_" into the structure's name and its members' names.
func splitPath(path string) (structure string, members []string) {
	start := strings.LastIndexByte(path, '/') + 1
	parts := strings.Split(path[start:], ".")
	return path[:start] + parts[0] + "." + parts[1], parts[2:]
}

// readStructures returns the named structures of a program.
func readStructures(program string, wanted map[string]bool) (map[string]*dwarf.StructType, error) {
	file, err := elf.Open(program)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := file.DWARF()
	if err != nil {
		return nil, err
	}
	found := map[string]*dwarf.StructType{}
	reader := data.Reader()
	for {
		entry, err := reader.Next()
		if err == io.EOF || (err == nil && entry == nil) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if entry.Tag != dwarf.TagCompileUnit {
			reader.SkipChildren()
		}
		name, _ := entry.Val(dwarf.AttrName).(string)
		if entry.Tag != dwarf.TagStructType || !wanted[name] || found[name] != nil {
			continue
		}
		typ, err := data.Type(entry.Offset)
		if err != nil {
			return nil, fmt.Errorf("%s: %v", name, err)
		}
		if structure, ok := typ.(*dwarf.StructType); ok && !structure.Incomplete {
			found[name] = structure
		}
	}
}

// underlying follows typedefs to a structure; nil when the type is something else.
func underlying(typ dwarf.Type) *dwarf.StructType {
	for {
		switch t := typ.(type) {
		case *dwarf.TypedefType:
			typ = t.Type
		case *dwarf.StructType:
			return t
		default:
			return nil
		}
	}
}

// offsetOf adds up the offsets along a path of members; absent when one is missing.
func offsetOf(structure *dwarf.StructType, members []string) int64 {
	offset := int64(0)
	for i, member := range members {
		var next *dwarf.StructField
		for _, f := range structure.Field {
			if f.Name == member {
				next = f
			}
		}
		if next == nil {
			return absent
		}
		offset += next.ByteOffset
		if i == len(members)-1 {
			break
		}
		if structure = underlying(next.Type); structure == nil {
			return absent
		}
	}
	return offset
}

func (f field) value(structures map[string]*dwarf.StructType) int64 {
	for _, path := range f.paths {
		name, members := splitPath(path)
		structure := structures[name]
		if structure == nil {
			continue
		}
		if f.size {
			return structure.ByteSize
		}
		if offset := offsetOf(structure, members); offset != absent {
			return offset
		}
	}
	return absent
}

// readLayout returns the value of every field in a program, in the order of fields.
func readLayout(program string, fields []field) ([]int64, error) {
	wanted := map[string]bool{}
	for _, f := range fields {
		for _, path := range f.paths {
			name, _ := splitPath(path)
			wanted[name] = true
		}
	}
	structures, err := readStructures(program, wanted)
	if err != nil {
		return nil, fmt.Errorf("%s: %v", program, err)
	}
	values := make([]int64, len(fields))
	for i, f := range fields {
		values[i] = f.value(structures)
	}
	return values, nil
}

// writeLayoutRow writes one initialiser of struct go_layout.
func writeLayoutRow(out *strings.Builder, r release, arch string, fields []field, values []int64) {
	fmt.Fprintf(out, "{ /* go%s %s */\n", r.text, arch)
	fmt.Fprintf(out, "\t.version = { .minor = %d, .patch = %d, .exact = true },\n", r.minor, r.patch)
	fmt.Fprintf(out, "\t.arch = GO_ARCH_%s,\n\t.offset = {\n", strings.ToUpper(arch))
	for i, f := range fields {
		value := fmt.Sprint(values[i])
		if values[i] == absent {
			value = "GO_ABSENT"
		}
		fmt.Fprintf(out, "\t\t[GO_%s] = %s,\n", f.name, value)
	}
	out.WriteString("\t},\n},\n")
}
