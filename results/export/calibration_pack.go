package export

import (
	"fmt"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"partita/results"
)

// WritePack writes fitted constants as a knowledge pack, whole or not at all. Its name is the
// profile's; "": that of the file.
func WritePack(path, name string, c *results.Calibration) error {
	if name == "" {
		name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	text, err := PackYAML(name, c)
	if err != nil {
		return err
	}
	return WriteSet(filepath.Dir(path), []Stream{Whole(filepath.Base(path), text)})
}

// PackYAML is the pack as text.
func PackYAML(name string, c *results.Calibration) ([]byte, error) {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range c.Devices {
		if entry := packEntry(name, &c.Devices[i]); entry != nil {
			list.Content = append(list.Content, entry)
		}
	}
	root := mapping(keyed("name", name), keyed("profiles", list))
	root.HeadComment = "Constants of the cost model, fitted by partita calibrate. Times are in seconds, shares are of the\n" +
		"datasheet figure. What is not stated stays built in. `generation: NAME` in place of `accelerator:`\n" +
		"takes a profile for all devices of a generation."
	var b strings.Builder
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return nil, err
	}
	return []byte(b.String()), e.Close()
}

// packEntry is the profile of a device; nil where nothing was fitted of it.
func packEntry(name string, d *results.CalibratedDevice) *yaml.Node {
	constants, sources := mapping(), mapping()
	for i := range d.Laws {
		l := &d.Laws[i]
		if l.HeldOut == nil || l.Refused != "" {
			continue
		}
		var stay []string
		for k := range l.Constants {
			x := &l.Constants[k]
			if x.Fitted == nil {
				stay = append(stay, fmt.Sprintf("%s stays built in: %s", x.Path, x.Refused))
				continue
			}
			pair := keyed(x.Path, *x.Fitted)
			if len(stay) > 0 {
				pair[0].HeadComment = strings.Join(stay, "\n")
				stay = nil
			}
			pair[1].LineComment = fmt.Sprintf("±%.1f %%, built in %g", x.UncertaintyPct, x.BuiltIn)
			constants.Content = append(constants.Content, pair...)
		}
		if len(stay) > 0 && len(constants.Content) > 0 {
			constants.Content[len(constants.Content)-2].FootComment = strings.Join(stay, "\n")
		}
		sources.Content = append(sources.Content, keyed(l.Path, lawSource(l))...)
	}
	if len(constants.Content) == 0 {
		return nil
	}
	return mapping(keyed("name", name), keyed("accelerator", d.Device), keyed("constants", constants), keyed("sources", sources))
}

// lawSource says what constants of a law rest on.
func lawSource(l *results.CalibratedLaw) string {
	text := fmt.Sprintf("calibrated on %d rows of %s, %d shapes, %d of them outliers", l.Rows-l.Impossible, strings.Join(l.Files, ", "), l.Shapes, l.Outliers)
	if len(l.Frameworks) > 0 {
		text += "; kernels of " + strings.Join(l.Frameworks, ", ")
	}
	return text + fmt.Sprintf("; held-out error %.1f %% in the median, 90th percentile %.1f %% (built-in constants: %.1f %%, %.1f %%)",
		l.HeldOut.MedianPct, l.HeldOut.P90Pct, l.BuiltIn.MedianPct, l.BuiltIn.P90Pct)
}

// mapping is a mapping of pairs of nodes.
func mapping(pairs ...[]*yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, p := range pairs {
		n.Content = append(n.Content, p...)
	}
	return n
}

// keyed is a key with a node, a text or a number.
func keyed(key string, value any) []*yaml.Node {
	k := &yaml.Node{Kind: yaml.ScalarNode, Value: key}
	switch v := value.(type) {
	case *yaml.Node:
		return []*yaml.Node{k, v}
	case float64:
		return []*yaml.Node{k, {Kind: yaml.ScalarNode, Tag: "!!float", Value: fmt.Sprint(v)}}
	default:
		return []*yaml.Node{k, {Kind: yaml.ScalarNode, Tag: "!!str", Value: fmt.Sprint(v)}}
	}
}
