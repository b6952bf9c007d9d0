package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"

	"partita/results"
)

// htmlName is the report for a browser.
const htmlName = "report.html"

// HTML is the content of report.html: what report.md says, with pictures, in one file that
// needs no other and asks for none. Files are what lies beside it, to be linked.
func HTML(r *results.Report, files []FileNote) ([]byte, error) {
	w := &webpage{}
	htmlBody(w, r, files)
	w.end()
	if w.err != nil {
		return nil, w.err
	}
	scripts, policy, err := htmlScripts(w.charts)
	if err != nil {
		return nil, err
	}
	title := plain(reportTitle(r))
	warned := ""
	if n := len(warningsOf(r)); n > 0 {
		warned = plural(n, "warning")
	}
	state, word := htmlState(r)
	var b bytes.Buffer
	err = htmlParts.ExecuteTemplate(&b, "page", struct {
		Policy, Title, Name, State, Word, Verdict string
		Warnings                                  string // how many, and where
		Style                                     template.CSS
		Contents                                  []anchor
		Body, Scripts                             template.HTML
	}{
		Policy: policy, Title: title, Name: strings.TrimPrefix(title, "Deployment plan: "), State: state, Word: word, Verdict: verdict(r),
		Warnings: warned,
		Style:    template.CSS(htmlFile("report.css")), Contents: w.contents,
		Body: template.HTML(w.b.String()), Scripts: template.HTML(scripts), // of the templates and of html/ alone
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", htmlName, err)
	}
	return b.Bytes(), nil
}

// htmlState is the outcome in a word, with its class.
func htmlState(r *results.Report) (class, word string) {
	switch {
	case r.Plan == nil && r.Status == results.StatusInfeasible, r.Plan != nil && !r.Feasible && r.Status == results.StatusInfeasible:
		return "bad", "Infeasible."
	case r.Plan == nil, !r.Feasible:
		return "fair", "Open."
	case r.Status == results.StatusOptimal:
		return "good", "Optimal."
	}
	return "fair", "Found."
}

// htmlScripts are the script elements of a page, and a policy under which these and no
// others run, and nothing is fetched. Without charts there are none.
func htmlScripts(charts map[string]any) (elements, policy string, err error) {
	const rest = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
	var b strings.Builder
	if len(charts) > 0 {
		// Marshal writes <, >, &, U+2028 and U+2029 as \u…: nothing in it ends the element.
		data, err := json.Marshal(charts)
		if err != nil {
			return "", "", fmt.Errorf("%s: a chart cannot be written as JSON: %w", htmlName, err)
		}
		fmt.Fprintf(&b, "<script type=\"text/plain\" id=\"licences\">\n%s</script>\n", htmlFile("LICENSE-charts.txt"))
		fmt.Fprintf(&b, "<script type=\"application/json\" id=\"data\">%s</script>\n", data)
	}
	var hashes strings.Builder
	for _, name := range []string{"charts.min.js", "report.js"} {
		if name == "charts.min.js" && len(charts) == 0 {
			continue
		}
		code := htmlFile(name)
		digest := sha256.Sum256([]byte(code))
		fmt.Fprintf(&b, "<script>%s</script>\n", code)
		fmt.Fprintf(&hashes, " 'sha256-%s'", base64.StdEncoding.EncodeToString(digest[:]))
	}
	return b.String(), rest + "; script-src" + hashes.String(), nil
}

// htmlFile is a file of html/.
func htmlFile(name string) string {
	data, err := htmlFiles.ReadFile("html/" + name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return string(data)
}
