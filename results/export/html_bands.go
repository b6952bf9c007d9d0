package export

// bands is a chart of bars along one axis, in rows: where layers lie, what fills a memory,
// what a stage does when. report.js draws it.
type bands struct {
	Kind string   `json:"kind"`
	Rows []string `json:"rows"`
	// Breaks are the rows before which a line is drawn: another node begins.
	Breaks []int  `json:"breaks,omitempty"`
	Bars   []band `json:"bars"`
	// Rules are lines across all rows.
	Rules []ruler `json:"rules,omitempty"`
	Axis  string  `json:"axis"`
	End   float64 `json:"end"`
	// Exact: the axis ends there, and not at a round number after it.
	Exact bool `json:"exact,omitempty"`
	// Whole: the axis counts whole numbers.
	Whole bool `json:"whole,omitempty"`
	// Pitch is the height of a row in pixels.
	Pitch int `json:"pitch"`
	// Beside: a text that does not fit its bar may stand beside it.
	Beside bool `json:"beside,omitempty"`
}

// band is one bar of a row, or of several rows that follow each other.
type band struct {
	Row    int     `json:"r"`
	Rows   int     `json:"n"`
	From   float64 `json:"a"`
	To     float64 `json:"b"`
	Colour string  `json:"c"`
	// Faint bars are of every other replica.
	Faint bool `json:"f,omitempty"`
	// Texts are what may stand in the bar, the longest first: the first that fits does.
	Texts []string `json:"t,omitempty"`
	Tip   string   `json:"h,omitempty"`
}

// ruler is a line across the rows at a value.
type ruler struct {
	At   float64 `json:"a"`
	Text string  `json:"t"`
}

func newBands(axis string, end float64, pitch int) *bands {
	return &bands{Kind: "bands", Rows: []string{}, Bars: []band{}, Axis: axis, End: end, Pitch: pitch}
}

// colours are the classes of the categories of a chart, in turn.
var colours = []string{"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"}

func colour(i int) string { return colours[i%len(colours)] }
