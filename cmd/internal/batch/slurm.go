package batch

import (
	"fmt"
	"regexp"
	"strings"

	"partita/results/launch"
)

// Words of Slurm that flags may state. They stand in #SBATCH lines, which are split at
// white space and know quotes of their own: nothing else is let through.
var (
	slurmMemory = regexp.MustCompile(`^[0-9]+[KMGT]?$`)
	slurmTime   = regexp.MustCompile(`^([0-9]+-)?[0-9]+(:[0-9]+){0,2}$`)
	slurmName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.,+-]*$`)
)

// Slurm is a script of bash that is an array job, one task a share. Run by bash it
// submits itself and, behind the array, the step that joins the shares; given to sbatch
// it is the array alone. A task that fails for a reason that may pass is requeued.
func (e *Engine) Slurm() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	switch {
	case !slurmMemory.MatchString(e.Memory):
		return nil, fmt.Errorf("--memory %q: want a size of Slurm such as 2G", e.Memory)
	case e.Walltime != "" && !slurmTime.MatchString(e.Walltime):
		return nil, fmt.Errorf("--walltime %q: want a time of Slurm such as 2:00:00 or 1-12:00:00", e.Walltime)
	case e.Partition != "" && !slurmName.MatchString(e.Partition):
		return nil, fmt.Errorf("--partition %q: want the name of a partition", e.Partition)
	case e.Account != "" && !slurmName.MatchString(e.Account):
		return nil, fmt.Errorf("--account %q: want the name of an account", e.Account)
	}
	name := jobName(e.Name, longestJob)
	array := fmt.Sprintf("0-%d", e.Shares-1)
	if e.Parallel > 0 {
		array += fmt.Sprintf("%%%d", e.Parallel)
	}
	var codes []string
	for _, c := range hopeless() {
		codes = append(codes, fmt.Sprint(c))
	}

	merge := "#!/bin/bash\n" + e.directives(name+"-merge", name+"-merge-%j.log") +
		"exec " + launch.Command(append([]string{e.Program}, e.mergeArgs()...)...)
	end := "END_OF_MERGE"
	for strings.Contains(merge, end) {
		end += "_" // a name may hold anything, also the word that ends the text
	}
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/bash
# The shards of a batch as a Slurm array, and the step that joins them.
#   bash THIS-FILE      submits the array and, behind it, the step
#   sbatch THIS-FILE    submits the array alone
# from a folder that all nodes share, where the paths of the commands below start.
%s#SBATCH --array=%s
#SBATCH --requeue
#SBATCH --open-mode=append

if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
  array=$(sbatch --parsable "$0") || exit
  array=${array%%%%;*}
  step=$(sbatch --parsable --kill-on-invalid-dep=yes --dependency="afterok:$array" <<'%s'
%s
%s
) || exit
  echo "array $array, then step ${step%%%%;*}"
  exit
fi

%s%s
code=$?
case $code in
0 | %s) exit "$code" ;; # done, or nothing that another start would change
esac
if [ "${SLURM_RESTART_COUNT:-0}" -lt %d ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}" && sleep 60 # until Slurm ends this run
fi
exit "$code"
`, e.directives(name, name+"-%A_%a.log"), array, end, merge, end,
		e.exports(), launch.Command(append([]string{e.Program}, e.shareArgs()...)...), strings.Join(codes, " | "), e.Retries)
	return []byte(b.String()), nil
}

// exports are the lines that set the variables of the tasks. Slurm passes on those of
// whoever submits; these are of whoever wrote the job.
func (e *Engine) exports() string {
	var b strings.Builder
	for _, v := range e.Env {
		name, value, _ := strings.Cut(v, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, launch.Word(value))
	}
	return b.String()
}

// directives are the lines that the array and the step have in common.
func (e *Engine) directives(name, log string) string {
	var b strings.Builder
	add := func(option, value string) {
		if value != "" {
			fmt.Fprintf(&b, "#SBATCH --%s=%s\n", option, value)
		}
	}
	add("job-name", name)
	add("output", log)
	add("ntasks", "1")
	add("cpus-per-task", fmt.Sprint(e.CPUs))
	add("mem", e.Memory)
	add("time", e.Walltime)
	add("partition", e.Partition)
	add("account", e.Account)
	return b.String()
}
