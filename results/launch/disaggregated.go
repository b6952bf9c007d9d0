package launch

import (
	"fmt"
	"strconv"
	"strings"

	"partita/inputs"
	"partita/results"
)

// Plans that keep prefill and decode apart. Either side is started by a script of its own,
// with the same numbers and addresses of the nodes; a third script spreads requests.
//
// vLLM hands the KV cache on with its NixlConnector: docs/features/nixl_connector_usage.md
// (--kv-transfer-config, VLLM_NIXL_SIDE_CHANNEL_HOST and _PORT: a port of its own for every
// server of a host, and one a data-parallel rank above it) and nixl_connector_compatibility.md
// of github.com/vllm-project/vllm; a pipeline is refused by it ("does not support
// PP-disaggregated KV transfer", issues 40674 and 52913). SGLang does it with
// --disaggregation-mode, --disaggregation-transfer-backend and, of prefill,
// --disaggregation-bootstrap-port (docs/advanced_features/pd_disaggregation.md of
// github.com/sgl-project/sglang); decode has one stage, or as many as prefill (pull request
// 14265).

// apart is what a side of such a plan has to know of the whole.
type apart struct {
	role string // prefill or decode
	// both are the replicas of both sides: nodes are numbered over all of them.
	both [][]*results.Stage
	// several: the GPUs of both sides are on more than one host.
	several bool
}

// Ports of the two sides, which may share a host: a hundred for each, of one kind.
const (
	sideStep  = 100
	nixlPort  = 5600 // vLLM's own default
	bootstrap = 8998 // SGLang's own default
	proxyPort = 8000
)

// port is the first port of a kind: of the engine, or of a side's own range behind it.
func (s *Serving) port(first int) int {
	switch {
	case s.apart == nil:
		return first
	case s.apart.role == string(inputs.Prefill):
		return first + sideStep
	}
	return first + 2*sideStep
}

// portWord is the first port of a kind as a word of a shell: a variable says another one.
func (s *Serving) portWord(first int) string {
	name := "PORT"
	if s.apart != nil {
		name = strings.ToUpper(s.apart.role) + "_PORT"
	}
	return fmt.Sprintf("${%s:-%d}", name, s.port(first))
}

// script is the name of a side's script: vllm.sh, or vllm-prefill.sh.
func (s *Serving) script(engine string) string {
	if s.apart == nil {
		return engine + ".sh"
	}
	return fmt.Sprintf("%s-%s.sh", engine, s.apart.role)
}

// idle is why a node starts nothing.
func (s *Serving) idle() string {
	if s.apart == nil {
		return ""
	}
	return fmt.Sprintf("the plan has no %s server on this node", s.apart.role)
}

// sidesOf are the two deployments of a plan, each as a plan of its own.
func sidesOf(p *results.Plan) (sides [2]*Serving, err error) {
	if p.Deployment == nil {
		return sides, ErrNoDeployment
	}
	if len(p.Phases) != 2 {
		return sides, fmt.Errorf("the plan has %d phases, prefill and decode apart are two", len(p.Phases))
	}
	for i := range p.Phases {
		side, d := *p, *p.Deployment
		d.Workload.Phase, d.Workload.Batch = p.Phases[i].Phase, p.BatchOf(&p.Phases[i])
		side.Disaggregated, side.Phases, side.Deployment = nil, p.Phases[i:i+1], &d
		if sides[i], err = Of(&side); err != nil {
			return sides, err
		}
		sides[i].apart = &apart{role: string(p.Phases[i].Phase)}
	}
	for _, s := range sides {
		s.apart.both = append(append([][]*results.Stage{}, sides[0].Replicas...), sides[1].Replicas...)
	}
	for _, s := range sides {
		s.apart.several = len(s.Hosts()) > 1
	}
	return sides, nil
}

// server is one server of a side that answers requests.
type server struct{ node, number int } // number counts the servers of a node

// writeApart writes the files of a plan for a target that keeps prefill and decode apart.
func writeApart(t *Target, p *results.Plan) ([]File, error) {
	if t.apart == nil {
		return nil, &Refusal{Title: t.Title, Reasons: []string{t.together}}
	}
	sides, err := sidesOf(p)
	if err != nil {
		return nil, err
	}
	var reasons []string
	for _, s := range sides {
		if n := len(s.Replicas[0]); n > 1 && (t.Name == "vllm" || s.apart.role == string(inputs.Decode) && n != len(sides[0].Replicas[0])) {
			reasons = append(reasons, fmt.Sprintf("the %s side is a pipeline of %d stages, and its KV cache cannot be handed over: --engine %s finds the best plan without one", s.apart.role, n, t.Name))
		}
	}
	if len(reasons) > 0 {
		return nil, &Refusal{Title: t.Title, Reasons: reasons}
	}
	var files []File
	for _, s := range sides {
		more, err := t.write(s)
		if err != nil {
			return nil, err
		}
		files = append(files, more...)
	}
	proxy, err := t.apart(sides)
	if err != nil {
		return nil, err
	}
	return append(files, proxy), nil
}

// kvTransfer is the flag by which vLLM hands the KV cache on.
func (s *Serving) kvTransfer() []string {
	if s.apart == nil {
		return nil
	}
	role := map[string]string{"prefill": "kv_producer", "decode": "kv_consumer"}[s.apart.role]
	return []string{"--kv-transfer-config", `{"kv_connector":"NixlConnector","kv_role":"` + role + `"}`}
}

// handoverChecks are what to look at before a side is started.
func (s *Serving) handoverChecks() []string {
	if s.apart == nil {
		return nil
	}
	other := map[string]string{"prefill": "decode", "decode": "prefill"}[s.apart.role]
	checks := []string{fmt.Sprintf("These are the %s servers of the plan; those that %s have a script of their own, and the same engine, version, model and format of the KV cache. Requests go to the proxy, which has a third.", s.apart.role, other),
		"NIXL is installed (pip install nixl)."}
	if s.apart.several {
		checks = append(checks, "HOSTS has the IP addresses of the network that the KV cache is to take: servers bind and are reached by them.")
	}
	return checks
}

// vllmProxy is what sends each request to a prefill server, then to a decode server: the
// proxy of vLLM's own NIXL tests, which it documents for this.
func vllmProxy(sides [2]*Serving) (File, error) {
	var b bash
	b.headOf(sides[0], "Sends each request to a prefill server and then to a decode server of the plan, round and round, with the proxy of vLLM's repository. On port 8000 of the machine that it runs on.", bothStrategies(sides))
	b.line("set -euo pipefail")
	b.line("")
	b.comment("A copy of tests/v1/kv_connector/nixl_integration/toy_proxy_server.py of the vLLM version in use.")
	b.line("missing=%s", Word("set PROXY to the path of toy_proxy_server.py"))
	b.line(`PROXY=${PROXY:?"$missing"}`)
	b.addresses(sides[0].Hosts())
	for _, s := range sides {
		b.line("%s=%s # as for vllm-%s.sh", s.apart.role, s.portWord(httpPort), s.apart.role)
	}
	words := []string{`exec python3 "$PROXY" --host 0.0.0.0`, fmt.Sprintf("--port %d", proxyPort)}
	for i, s := range sides {
		servers, err := s.vllmHeads()
		if err != nil {
			return File{}, err
		}
		name := [2]string{"prefiller", "decoder"}[i]
		var hosts, ports []string
		for _, x := range servers {
			hosts, ports = append(hosts, s.nodeWord(x.node)), append(ports, fmt.Sprintf("$((%s + %d))", s.apart.role, x.number))
		}
		words = append(words, fmt.Sprintf("--%s-hosts %s", name, strings.Join(hosts, " ")), fmt.Sprintf("--%s-ports %s", name, strings.Join(ports, " ")))
	}
	b.line("%s", strings.Join(words, " \\\n\t"))
	return File{Name: "vllm-proxy.sh", Data: []byte(b.String()), Executable: true}, nil
}

func bothStrategies(sides [2]*Serving) string {
	return "prefill " + sides[0].strategy() + "; decode " + sides[1].strategy()
}

// nodeWord is a word of a shell for the address of a node.
func (s *Serving) nodeWord(node int) string {
	if s.apart.several {
		return fmt.Sprintf(`"${hosts[%d]}"`, node)
	}
	return "127.0.0.1"
}

// vllmHeads are the servers of a side that answer requests, in the order of the replicas.
func (s *Serving) vllmHeads() ([]server, error) {
	checkpoint, err := s.checkpoint()
	if err != nil {
		return nil, err
	}
	list, _, err := s.vllmServers(checkpoint)
	if err != nil {
		return nil, err
	}
	number, taken := map[string]int{}, map[string]int{}
	for _, h := range s.Hosts() {
		number[h.Name] = h.Number
	}
	var out []server
	for i := range list {
		host := list[i].processes[0].host
		out = append(out, server{node: number[host], number: taken[host]})
		taken[host]++
	}
	return out, nil
}

// sglangApartRouter is SGLang's router over both sides (sglang_router.launch_router
// --pd-disaggregation): each prefill server with its bootstrap port.
func sglangApartRouter(sides [2]*Serving) (File, error) {
	var b bash
	b.headOf(sides[0], "Sends each request to a prefill and a decode server of the plan, with SGLang's router (package sglang-router), on port 8000 of the machine that it runs on.", bothStrategies(sides))
	b.line("set -euo pipefail")
	b.line("")
	b.addresses(sides[0].Hosts())
	for _, s := range sides {
		b.line("%s=%s # as for sglang-%s.sh", s.apart.role, s.portWord(sglangPort), s.apart.role)
	}
	words := []string{"exec python3 -m sglang_router.launch_router --pd-disaggregation", fmt.Sprintf("--host 0.0.0.0 --port %d", proxyPort)}
	for _, s := range sides {
		heads, err := s.sglangHeads()
		if err != nil {
			return File{}, err
		}
		for _, x := range heads {
			address := "127.0.0.1"
			if s.apart.several {
				address = fmt.Sprintf("${hosts[%d]}", x.node)
			}
			word := fmt.Sprintf(`--%s "http://%s:$((%s + %d))"`, s.apart.role, address, s.apart.role, x.number)
			if s.apart.role == string(inputs.Prefill) {
				word += " " + strconv.Itoa(bootstrap+x.number)
			}
			words = append(words, word)
		}
	}
	b.line("%s", strings.Join(words, " \\\n\t"))
	return File{Name: "sglang-router.sh", Data: []byte(b.String()), Executable: true}, nil
}

// sglangHeads are the servers of a side that answer requests, in the order of the replicas.
func (s *Serving) sglangHeads() ([]server, error) {
	all, err := s.nodes()
	if err != nil {
		return nil, err
	}
	place, number := map[string]int{}, map[string]int{}
	for _, h := range s.Hosts() {
		place[h.Name] = h.Number
	}
	var out []server
	for _, n := range all {
		if n.Rank == 0 {
			out = append(out, server{node: place[n.Host], number: number[n.Host]})
		}
		number[n.Host]++
	}
	return out, nil
}

// sglangHandover are the flags of a side.
func (s *Serving) sglangHandover() []string {
	if s.apart == nil {
		return nil
	}
	out := []string{"--disaggregation-mode " + s.apart.role, "--disaggregation-transfer-backend nixl"}
	if s.apart.role == string(inputs.Prefill) {
		out = append(out, fmt.Sprintf("--disaggregation-bootstrap-port $((%d + $3))", bootstrap))
	}
	return out
}
