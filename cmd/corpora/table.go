package main

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"text/tabwriter"
)

// A report is what is printed: one row per corpus and check.
type report struct {
	Corpora []row `json:"corpora"`
}

type row struct {
	Name   string   `json:"name"`
	Check  string   `json:"check"`
	Cases  int      `json:"cases"`
	Passed int      `json:"passed"`
	Failed []string `json:"failed"`
}

func summarize(results []result) report {
	rows := map[[2]string]*row{}
	var order [][2]string
	for _, r := range results {
		key := [2]string{r.corpus, r.check}
		if rows[key] == nil {
			rows[key] = &row{Name: r.corpus, Check: r.check, Failed: []string{}}
			order = append(order, key)
		}
		rows[key].Cases++
		if r.ok {
			rows[key].Passed++
		} else {
			rows[key].Failed = append(rows[key].Failed, r.name)
		}
	}
	sort.SliceStable(order, func(i, j int) bool { return order[i][0] < order[j][0] })
	var rep report
	for _, key := range order {
		rep.Corpora = append(rep.Corpora, *rows[key])
	}
	return rep
}

// totals adds up each check over all corpora.
func totals(rep report) []row {
	var sums []row
	for _, r := range rep.Corpora {
		at := -1
		for i := range sums {
			if sums[i].Check == r.Check {
				at = i
			}
		}
		if at < 0 {
			sums = append(sums, row{Name: "all", Check: r.Check})
			at = len(sums) - 1
		}
		sums[at].Cases += r.Cases
		sums[at].Passed += r.Passed
	}
	return sums
}

func printTable(out io.Writer, rep report) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "corpus\tcheck\tcases\tpassed\t\tfailed")
	for _, r := range append(rep.Corpora, totals(rep)...) {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.1f %%\t%s\n", r.Name, r.Check, r.Cases, r.Passed, 100*float64(r.Passed)/float64(max(1, r.Cases)), strings.Join(r.Failed, " "))
	}
	w.Flush()
}

// explain prints the failing cases of one check ("all" for every one).
func explain(out io.Writer, results []result, check string) {
	for _, r := range results {
		if !r.ok && (check == "all" || r.check == check) {
			fmt.Fprintf(out, "=== %s/%s: %s\n--- want\n%s\n--- got\n%s\n", r.corpus, r.name, r.check, r.want, r.got)
		}
	}
}
