package verify

import (
	"partita/formulation/cost"
	"partita/inputs"
)

// calculator adds to the cost model what it says of shapes.
type calculator struct {
	*cost.Calculator
	model *inputs.Model
}

func newPrices(c *inputs.Condition) (pricer, error) {
	calc, err := cost.New(c)
	if err != nil {
		return nil, err
	}
	return calculator{calc, &c.Model}, nil
}

// Invalid says why a layer kind cannot be split that way; empty where it can.
func (c calculator) Invalid(kind int, s cost.Shape) string {
	if ok, why := cost.ValidShape(c.model, kind, s); !ok {
		return why
	}
	return ""
}
