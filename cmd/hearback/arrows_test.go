package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// floors is the plan of the house: a package imports only packages on a strictly lower floor.
var floors = map[string]int{
	"desk": 0, "vault": 0,
	"connectors": 1, "normalizer": 1, "normalizer/mail": 1, "ticketstore": 1, "blobs": 1, "bus": 1, "configs": 1,
	"router": 2, "connectors/webchat": 2, "connectors/telephony": 2, "connectors/email": 2, "connectors/wechat": 2, "connectors/fleet": 2, "connectors/connectortest": 2, "connectors/wechat/tencent": 2, "connectors/telephony/pbx": 2,
	"ticketstore/storetest": 2, "bus/bustest": 2, "connectors/email/mailtest": 2, "auth": 2,
	"intake": 3, "delivery": 3, "customer": 3, "console": 3, "admin": 3, "web": 3,
	"cmd/hearback": 4, "cmd/corpora": 4,
}

// within lists the one exception: a package may use a sub-package that is a part of itself on the same floor.
var within = map[string]string{"normalizer/mail": "normalizer"}

func TestEveryArrowPointsDown(t *testing.T) {
	root := filepath.Join("..", "..")
	seen := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		rel, _ := filepath.Rel(root, filepath.Dir(path))
		seen[filepath.ToSlash(rel)] = true
		checkFile(t, filepath.ToSlash(rel), path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range floors {
		if !seen[pkg] {
			t.Errorf("the plan names %s, but there is no such package", pkg)
		}
	}
}

func checkFile(t *testing.T, pkg, path string) {
	floor, ok := floors[pkg]
	if !ok {
		t.Errorf("%s has no floor: give it one in the plan", pkg)
		return
	}
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	for _, im := range f.Imports {
		name, _ := strconv.Unquote(im.Path.Value)
		target, ours := strings.CutPrefix(name, "hearback/")
		if ours && floors[target] >= floor && within[pkg] != target {
			t.Errorf("%s (floor %d) imports %s (floor %d)", path, floor, target, floors[target])
		}
	}
}
