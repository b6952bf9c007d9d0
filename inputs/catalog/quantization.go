package catalog

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"partita/inputs"
)

// takeQuantization finds the number format of the weights in the
// quantization_config of the common tools.
func takeQuantization(p *parser, e *entry) {
	v := e.value
	if v.Kind != yaml.MappingNode {
		p.wrong(v, fmt.Sprintf("%s is %s", e.path, kindName(v)), "an object", "")
		return
	}
	method := scalar(v, "quant_method")
	d, ok := quantizedFormat(v, strings.ToLower(method))
	if !ok {
		p.wrong(v, fmt.Sprintf("%s: weights of method %q are in no format that is known", e.path, method),
			"fp8, int8, fp4 or int4 weights", "state the precision of the weights in the condition and remove this field")
		return
	}
	p.config.Quantization = d
	if strings.EqualFold(method, "mxfp4") {
		p.config.ExpertsOnly = true // transformers' Mxfp4Config replaces the experts' modules alone
		return
	}
	for _, name := range []string{"modules_to_not_convert", "ignore", "exclude_modules", "ignored_layers"} {
		left := lookup(v, name)
		if n := attentionNamed(left); n != 0 {
			p.config.WideAttention = n
		}
		if left != nil && len(left.Content) > 0 && !onlyHead(left) {
			p.warnings = append(p.warnings, fmt.Sprintf(
				"%s.%s leaves modules (%s) at the format of the activations; every weight but those of attention that is named for all layers is planned at %s, so that the plan counts too little memory for them",
				e.path, name, shortText(left), d))
			return
		}
	}
}

// attentionNamed is of how many layers a list of modules names the attention; -1: of all, by
// a name without a layer.
func attentionNamed(list *yaml.Node) int {
	layers := map[string]bool{}
	if list == nil {
		return 0
	}
	for _, m := range list.Content {
		if !strings.Contains(m.Value, "attn") {
			continue
		}
		g := layerOf.FindStringSubmatch(m.Value)
		if g == nil {
			return -1
		}
		layers[g[1]] = true
	}
	return len(layers)
}

var layerOf = regexp.MustCompile(`layers\.(\d+)\.`)

// onlyHead reports a list of modules that names nothing but the output head and attention
// without a layer, which is planned as it is.
func onlyHead(list *yaml.Node) bool {
	for _, m := range list.Content {
		if m.Value != "lm_head" && m.Value != "self_attn" {
			return false
		}
	}
	return true
}

// quantizedFormat reads the fields of one method; the names are those of the
// tools' own documentation.
func quantizedFormat(v *yaml.Node, method string) (inputs.DType, bool) {
	switch method {
	case "fp8", "fbgemm_fp8":
		return inputs.FP8, true
	case "mxfp4":
		return inputs.FP4, true
	case "awq", "gptq", "auto-round", "autoround", "intel/auto-round":
		return integerFormat(scalar(v, "bits"))
	case "bitsandbytes":
		if scalar(v, "load_in_4bit") == "true" {
			return inputs.INT4, true
		}
		return inputs.INT8, scalar(v, "load_in_8bit") == "true"
	case "compressed-tensors":
		return groupsFormat(lookup(v, "config_groups"))
	case "modelopt", "modelopt_fp4":
		return namedFormat(scalar(v, "quant_algo"))
	case "quark":
		return namedFormat(scalar(lookup(lookup(v, "global_quant_config"), "weight"), "dtype"))
	}
	return "", false
}

// groupsFormat is the one format that all groups of a compressed-tensors
// configuration store their weights in.
func groupsFormat(groups *yaml.Node) (inputs.DType, bool) {
	if groups == nil || groups.Kind != yaml.MappingNode {
		return "", false
	}
	var found inputs.DType
	for i := 1; i < len(groups.Content); i += 2 {
		weights := lookup(groups.Content[i], "weights")
		bits := scalar(weights, "num_bits")
		d, ok := integerFormat(bits)
		if scalar(weights, "type") == "float" {
			d, ok = map[string]inputs.DType{"8": inputs.FP8, "4": inputs.FP4}[bits], bits == "8" || bits == "4"
		}
		if !ok || found != "" && found != d {
			return "", false
		}
		found = d
	}
	return found, found != ""
}

func integerFormat(bits string) (inputs.DType, bool) {
	switch bits {
	case "4":
		return inputs.INT4, true
	case "8":
		return inputs.INT8, true
	}
	return "", false
}

// namedFormat reads names such as NVFP4, W4A16_AWQ or fp8_e4m3.
func namedFormat(name string) (inputs.DType, bool) {
	n := strings.ToLower(name)
	switch {
	case strings.Contains(n, "fp4"):
		return inputs.FP4, true
	case strings.Contains(n, "w4a"), strings.Contains(n, "int4"):
		return inputs.INT4, true
	case strings.Contains(n, "fp8"):
		return inputs.FP8, true
	case strings.Contains(n, "int8"), strings.Contains(n, "w8a8"):
		return inputs.INT8, true
	}
	return "", false
}

// scalar is the text of a plain value, empty where there is none.
func scalar(object *yaml.Node, name string) string {
	if v := lookup(object, name); v != nil && v.Kind == yaml.ScalarNode && v.Tag != "!!null" {
		return v.Value
	}
	return ""
}

// kvFormat is the format of the KV cache that goes with weights where nothing
// else is stated: that of the weights, but not below eight bits.
func kvFormat(weights inputs.DType) inputs.DType {
	switch weights {
	case inputs.FP4, inputs.INT4:
		return inputs.FP8
	}
	return weights
}

// cutFormat takes a number format off the end of a model's name:
// "Llama-3.1-405B-FP8" is Llama-3.1-405B in fp8.
func cutFormat(name string) (string, inputs.DType, bool) {
	at := strings.LastIndexAny(name, "-_ .")
	if at <= 0 {
		return "", "", false
	}
	last := strings.ToLower(name[at+1:])
	switch last {
	case "dynamic": // "-FP8-dynamic": the activations' scales, not the weights
		return cutFormat(name[:at])
	case "awq", "gptq", "w4a16":
		return name[:at], inputs.INT4, true
	case "nvfp4", "mxfp4", "fp4":
		return name[:at], inputs.FP4, true
	case "w8a8":
		return name[:at], inputs.INT8, true
	}
	d, ok := checkpointFormats[last]
	return name[:at], d, ok
}
