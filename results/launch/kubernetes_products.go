package launch

// product is the label by which nodes with a kind of GPU are known.
type product struct{ label, value string }

// products are the labels that discovery gives to nodes, by the catalogue's name of the
// device. NVIDIA's GPU feature discovery takes the driver's name of the GPU with dashes for
// spaces (docs of NVIDIA/k8s-device-plugin, gpu-feature-discovery: nvidia.com/gpu.product);
// AMD's node labeller has amd.com/gpu.product-name (ROCm/k8s-device-plugin,
// cmd/k8s-node-labeller). The values below were read in public manifests; a device whose
// value was not gets a label of ours.
func products() map[string]product {
	const nvidia, amd = "nvidia.com/gpu.product", "amd.com/gpu.product-name"
	return map[string]product{
		"A10":            {nvidia, "NVIDIA-A10"},
		"A100-SXM-80GB":  {nvidia, "NVIDIA-A100-SXM4-80GB"},
		"H100-SXM-80GB":  {nvidia, "NVIDIA-H100-80GB-HBM3"},
		"H200-SXM-141GB": {nvidia, "NVIDIA-H200"},
		"L4":             {nvidia, "NVIDIA-L4"},
		"L40S":           {nvidia, "NVIDIA-L40S"},
		"T4":             {nvidia, "Tesla-T4"},
		"MI300X":         {amd, "AMD_Instinct_MI300X_OAM"},
	}
}
