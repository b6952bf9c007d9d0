package cli

// docs are what the help of each command tells beside its usage and flags, by the
// command's path. A test holds that every command is here, that its example runs, and
// that what it refers to is there.
func docs() map[string]doc {
	solved := []exit{{exitFound, ""}, {exitInternal, ""}, {exitUsage, ""}, {exitInvalidInput, ""}, {exitInfeasible, ""}, {exitNothingFound, ""}, {exitUnverified, ""}}
	printed := []exit{{exitFound, "printed"}, {exitInternal, ""}, {exitUsage, "the command line is wrong, or no entry has the name"}}
	return map[string]doc{
		"partita": {
			example: "  partita solve examples/llama-3.1-70b-2x8-h100.yaml",
			see:     "README.md, docs/commands.md",
		},
		"partita solve": {
			group: planCommands,
			exits: append(solved[:len(solved):len(solved)], exit{exitNotOptimal, ""}),
			see:   "docs/condition.md, docs/examples.md, partita help condition, partita help exit-codes",
		},
		"partita compare": {
			group: judgeCommands,
			exits: solved,
			see:   "docs/formulation.md, partita solve",
		},
		"partita batch": {
			group: planCommands,
			exits: []exit{{exitFound, "every scenario has a verified plan"}, {exitInternal, "the batch, or one of its scenarios, failed"}, {exitUsage, ""},
				{exitInvalidInput, "the config is wrong, or the condition of a scenario"}, {exitInfeasible, "proved: a scenario has no plan"},
				{exitNothingFound, "a scenario ran out of time, or the batch was interrupted"}, {exitUnverified, "a plan failed verification"}, {exitNotOptimal, ""}},
			see: "docs/batch.md, docs/condition.md, partita help exit-codes",
		},
		"partita evaluate": {
			group: judgeCommands,
			exits: []exit{{exitFound, "the strategy maps, fits and meets every requirement"}, {exitInternal, ""}, {exitUsage, "the command line is wrong, or gives no strategy where the condition proposes none"},
				{exitInvalidInput, "a condition file, its strategy or the plan.json is wrong"}, {exitInfeasible, "the strategy does not map, fit or meet a requirement; what is short is said"}, {exitUnverified, "its figures failed the independent verification"}},
			see: "docs/evaluate.md, docs/cost-model.md, partita solve, partita compare",
		},
		"partita explain": {
			group: judgeCommands,
			exits: []exit{{exitFound, "a plan meets the condition; what binds it is said"}, {exitInternal, ""}, {exitUsage, ""}, {exitInvalidInput, ""},
				{exitInfeasible, "proved: no plan meets the condition; what clashes is said"}, {exitNothingFound, "neither a plan nor a proof within the time limit"}},
			see: "docs/explain.md, docs/formulation.md, partita solve, partita help exit-codes",
		},
		"partita model": {
			group: judgeCommands,
			exits: []exit{{exitFound, "the model is written, or the solution is a plan that is verified"}, {exitInternal, ""}, {exitUsage, ""}, {exitInvalidInput, "a condition is wrong, or a solution or map is not of its model"},
				{exitInfeasible, "no plan meets the condition, or the solution says that its model has none"}, {exitNothingFound, ""}, {exitUnverified, "a solution is no plan of its model, or failed verification"}},
			see: "docs/model.md, docs/formulation.md, partita solve",
		},
		"partita pareto": {
			group: judgeCommands,
			exits: []exit{{exitFound, "the trade-off is found and verified, or with --vary a plan at some value"}, {exitInternal, ""}, {exitUsage, ""}, {exitInvalidInput, ""},
				{exitInfeasible, "proved: no plan meets the condition, or with --vary none at any value"}, {exitNothingFound, "neither a plan nor a proof within the time limit"},
				{exitUnverified, "a plan was found and failed the independent verification"}, {exitNotOptimal, "not everything is proved; only with --require-optimal"}},
			see: "docs/pareto.md, docs/formulation.md, partita compare, partita solve",
		},
		"partita export": {
			group: planCommands,
			exits: []exit{{exitFound, "the files are written, or the DAG keeps every rule"}, {exitInternal, "a file could not be written"}, {exitUsage, ""}, {exitInvalidInput, "the plan, the condition of an old one, or the DAG cannot be read"},
				{exitInfeasible, "none of the targets can run the plan; what is in the way is said"}, {exitUnverified, "the plan fails verification: it was edited, or is not of its condition; or the DAG breaks a rule"}},
			see: "docs/export.md, docs/launch.md, docs/reading-a-plan.md, partita solve, partita help exit-codes",
		},
		"partita instance": {
			group: judgeCommands,
			exits: []exit{{exitFound, "every instance has a verified answer"}, {exitInternal, ""}, {exitUsage, "the command line is wrong, or an instance has no such objective"}, {exitInvalidInput, "the file is wrong; every problem is listed as file:line:column"},
				{exitInfeasible, "proved: an instance has no solution"}, {exitNothingFound, "neither a solution nor a proof within the time limit"}, {exitUnverified, "an answer failed the independent verification"}},
			see: "docs/instance.md, docs/formulation.md, partita solve",
		},
		"partita validate": {
			group: judgeCommands,
			exits: []exit{{exitFound, "the table is scored, however far off the predictions are"}, {exitInternal, ""}, {exitUsage, "the command line is wrong"}, {exitInvalidInput, "the table is wrong; every problem is listed as file:line:column"}},
			see:   "docs/validate.md, docs/validation.md, docs/cost-model.md, partita evaluate",
		},
		"partita calibrate": {
			group: judgeCommands,
			exits: []exit{{exitFound, "constants are fitted; those that stay built in are said with the reason"}, {exitInternal, "the pack could not be written"}, {exitUsage, "the command line is wrong"},
				{exitInvalidInput, "a table is wrong or of a device that is not known; every problem is listed as file:line:column"}, {exitNothingFound, "the timings tell none of the constants; nothing is written"}},
			see: "docs/calibrate.md, docs/knowledge.md, docs/cost-model.md, partita validate",
		},
		"partita init": {
			group: prepareCommands,
			exits: []exit{{exitFound, "the condition is written"}, {exitInternal, "it could not be written, or the answers ended"},
				{exitUsage, "the command line is wrong, or the file is there already"}, {exitInvalidInput, "a file that init starts from is wrong"}},
			see: "docs/condition.md, partita help condition, partita catalog",
		},
		"partita catalog": {
			group:   prepareCommands,
			example: "  partita catalog gpus\n  partita catalog models DeepSeek-V3",
			exits:   printed,
			see:     "docs/catalog.md, partita help condition",
		},
		"partita catalog gpus": {
			example: "  partita catalog gpus H100\n  partita catalog gpus --vendor nvidia --memory '>=80GB' --fp8\n  partita catalog gpus --csv --columns name,memory_gib,power_w",
			exits:   printed, see: "docs/catalog.md, partita catalog models",
		},
		"partita catalog models": {
			example: "  partita catalog models Llama-3.1-70B\n  partita catalog models --moe --params '<=250B' --context '>=128k'\n  partita catalog models --attention mla --json",
			exits:   printed, see: "docs/catalog.md, partita catalog gpus",
		},
		"partita schema": {
			group: prepareCommands,
			exits: []exit{{exitFound, "printed or written"}, {exitInternal, "it could not be written"}, {exitUsage, "the command line is wrong, or nothing of the name has a schema"}},
			see:   "docs/schema.md, docs/condition.md, partita help condition",
		},
		"partita completion": {
			exits: []exit{{exitFound, "printed"}, {exitUsage, ""}},
			see:   "docs/commands.md, partita help",
		},
		"partita version": {
			example: "  partita version --json",
			exits:   []exit{{exitFound, "printed"}, {exitUsage, ""}},
			see:     "docs/installation.md",
		},
		"partita manual":      {exits: []exit{{exitFound, "the pages are written"}, {exitInternal, ""}, {exitUsage, "the command line is wrong"}}, see: "partita help"},
		"partita condition":   {see: "docs/condition.md, partita init"},
		"partita environment": {see: "docs/condition.md, docs/batch.md, partita help condition"},
		"partita exit-codes":  {see: "docs/exit-codes.md"},
	}
}
