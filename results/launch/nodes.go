package launch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"partita/inputs"
	"partita/results"
)

// Device is one GPU of a plan, as an engine on its host finds it.
type Device struct {
	Host string
	// Index is the number that the driver gives the GPU on its host: of CUDA_VISIBLE_DEVICES.
	Index string
	Pool  *inputs.Pool
}

// Host is one machine of a plan with the GPUs that the plan uses there.
type Host struct {
	// Number counts the hosts; files say it, as names may hold anything.
	Number int
	Name   string
}

// Hosts lists the machines that a plan uses: in the order in which the cluster lists them, so
// that node-3 has the number 3 where all are used; then nodes made as needed, in the order of
// replicas, stages and ranks.
func (s *Serving) Hosts() []Host {
	used := map[string]bool{}
	var order []string
	replicas := s.Replicas
	if s.apart != nil {
		replicas = s.apart.both
	}
	for _, stages := range replicas {
		for _, stage := range stages {
			for _, id := range stage.GPUs {
				if name := s.hostOf(id); !used[name] {
					used[name] = true
					order = append(order, name)
				}
			}
		}
	}
	var out []Host
	add := func(name string) {
		if used[name] {
			used[name] = false
			out = append(out, Host{Number: len(out), Name: name})
		}
	}
	for _, pool := range s.Cluster.Pools {
		for _, n := range pool.Nodes {
			add(n.Host)
		}
	}
	for _, name := range order {
		add(name)
	}
	return out
}

// hostOf is the machine of a GPU: as the cluster lists it, else (a node made as needed) what
// stands before the last slash of the id.
func (s *Serving) hostOf(id string) string {
	if s.hosts == nil {
		s.hosts = map[string]string{}
		for _, pool := range s.Cluster.Pools {
			for _, n := range pool.Nodes {
				for _, id := range n.GPUs {
					s.hosts[id] = n.Host
				}
			}
		}
	}
	if name, listed := s.hosts[id]; listed {
		return name
	}
	return id[:max(0, strings.LastIndexByte(id, '/'))]
}

// pool is the pool of that name.
func (s *Serving) pool(name string) (*inputs.Pool, error) {
	for k := range s.Cluster.Pools {
		if s.Cluster.Pools[k].Name == name {
			return &s.Cluster.Pools[k], nil
		}
	}
	return nil, fmt.Errorf("the plan's pool %q is none of its deployment", name)
}

// devices are the GPUs of a stage in the order of its ranks.
func (s *Serving) devices(stage *results.Stage) ([]Device, error) {
	pool, err := s.pool(stage.Pool)
	if err != nil {
		return nil, err
	}
	out := make([]Device, 0, len(stage.GPUs))
	for _, id := range stage.GPUs {
		i := strings.LastIndex(id, "/gpu-")
		index := id[i+1:]
		index = strings.TrimPrefix(index, "gpu-")
		if n, err := strconv.Atoi(index); i < 0 || err != nil || n < 0 || strconv.Itoa(n) != index {
			return nil, &nameError{id}
		}
		out = append(out, Device{Host: s.hostOf(id), Index: index, Pool: pool})
	}
	return out, nil
}

// visible is the environment variable by which a program sees some GPUs of a vendor alone.
func visible(vendor string) string {
	switch vendor {
	case "AMD":
		return "HIP_VISIBLE_DEVICES"
	case "Intel":
		return "ZE_AFFINITY_MASK"
	case "Huawei":
		return "ASCEND_RT_VISIBLE_DEVICES"
	}
	return "CUDA_VISIBLE_DEVICES"
}

// vendors are the makers of a plan's devices, each once, in the order of the stages.
func (s *Serving) vendors() ([]string, error) {
	var out []string
	for _, stages := range s.Replicas {
		for _, stage := range stages {
			pool, err := s.pool(stage.Pool)
			if err != nil {
				return nil, err
			}
			if v := pool.Accelerator.Vendor; !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out, nil
}

// nameError is the error of a GPU whose name does not tell its number: no engine can be told
// to use it.
type nameError struct{ id string }

func (e *nameError) Error() string {
	return fmt.Sprintf("the GPU %q does not end in its number on the host, such as node-0/gpu-3", e.id)
}
