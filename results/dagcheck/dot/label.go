package dot

import (
	"bytes"
	"html"
	"strings"
)

// Label appends the text of a label to buf, its escapes resolved: \n, \l and \r end a
// line, \N is the name of the node and \G that of the graph. Of an HTML-like label it is
// the text between the tags; breaks, rows and cells end a line.
func (v Value) Label(buf []byte, node, graph string) []byte {
	if v.HTML {
		return appendHTML(buf, v.Text)
	}
	for i := 0; i < len(v.Text); i++ {
		if v.Text[i] != '\\' || i+1 == len(v.Text) {
			buf = append(buf, v.Text[i])
			continue
		}
		i++
		switch v.Text[i] {
		case 'n', 'l', 'r':
			buf = append(buf, '\n')
		case 'N':
			buf = append(buf, node...)
		case 'G':
			buf = append(buf, graph...)
		default:
			buf = append(buf, v.Text[i])
		}
	}
	return buf
}

func appendHTML(buf, text []byte) []byte {
	var out strings.Builder
	for {
		before, rest, tagged := bytes.Cut(text, []byte("<"))
		out.Write(before)
		if !tagged {
			return append(buf, html.UnescapeString(out.String())...)
		}
		tag, after, _ := bytes.Cut(rest, []byte(">"))
		name, _, _ := strings.Cut(strings.ToLower(strings.Trim(string(tag), " /")), " ")
		switch name {
		case "br", "tr", "td", "hr", "table":
			out.WriteByte('\n')
		}
		text = after
	}
}
