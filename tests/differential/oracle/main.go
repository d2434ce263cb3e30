// The oracle of the differential test: cel-go behind the line format of `souk rules eval --batch`.
//
//	{"expr":"x + 1","bindings":{"x":{"value":{"int64Value":"5"}}},"check":false}
//
// becomes {"value":…} or {"error":{"stage":"parse|check|eval","message":…}}. Variables are declared
// by the values that they are bound to, as Souk declares them: lists and maps of one type have it,
// mixed and empty ones are dyn.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	celpb "cel.dev/expr"
	"google.golang.org/protobuf/encoding/protojson"
	_ "google.golang.org/protobuf/types/known/durationpb"
	_ "google.golang.org/protobuf/types/known/timestamppb"
)

const lineMax = 1 << 20

type line struct {
	Expr     string
	Bindings map[string]struct{ Value json.RawMessage }
	Check    *bool
}

// stageError is an error and the stage that it came from.
type stageError struct {
	stage string
	err   error
}

func (e stageError) Error() string { return e.err.Error() }

// typeOf is the declared type of a variable with this value.
func typeOf(v *celpb.Value) *cel.Type {
	switch k := v.GetKind().(type) {
	case *celpb.Value_NullValue:
		return cel.NullType
	case *celpb.Value_BoolValue:
		return cel.BoolType
	case *celpb.Value_Int64Value:
		return cel.IntType
	case *celpb.Value_Uint64Value:
		return cel.UintType
	case *celpb.Value_DoubleValue:
		return cel.DoubleType
	case *celpb.Value_StringValue:
		return cel.StringType
	case *celpb.Value_BytesValue:
		return cel.BytesType
	case *celpb.Value_TypeValue:
		return types.NewTypeTypeWithParam(cel.DynType)
	case *celpb.Value_ObjectValue:
		if strings.HasSuffix(k.ObjectValue.GetTypeUrl(), ".Timestamp") {
			return cel.TimestampType
		}
		return cel.DurationType
	case *celpb.Value_ListValue:
		return cel.ListType(common(k.ListValue.GetValues()))
	case *celpb.Value_MapValue:
		var keys, values []*celpb.Value
		for _, e := range k.MapValue.GetEntries() {
			keys = append(keys, e.GetKey())
			values = append(values, e.GetValue())
		}
		return cel.MapType(common(keys), common(values))
	}
	return cel.DynType
}

// common is the one type of all of them, dyn if there is none or more than one.
func common(values []*celpb.Value) *cel.Type {
	if len(values) == 0 {
		return cel.DynType
	}
	first := typeOf(values[0])
	for _, v := range values[1:] {
		if typeOf(v).String() != first.String() {
			return cel.DynType
		}
	}
	return first
}

// oracle keeps one environment for every set of declarations that it met: making one is slow.
type oracle struct {
	base *cel.Env
	envs map[string]*cel.Env
}

func (o *oracle) environment(vars map[string]*cel.Type) (*cel.Env, error) {
	names := make([]string, 0, len(vars))
	for n := range vars {
		names = append(names, n)
	}
	sort.Strings(names)
	var key strings.Builder
	opts := make([]cel.EnvOption, 0, len(vars))
	for _, n := range names {
		fmt.Fprintf(&key, "%s:%s;", n, vars[n])
		opts = append(opts, cel.Variable(n, vars[n]))
	}
	if e, ok := o.envs[key.String()]; ok {
		return e, nil
	}
	e, err := o.base.Extend(opts...)
	if err == nil {
		if len(o.envs) > 4096 {
			o.envs = map[string]*cel.Env{}
		}
		o.envs[key.String()] = e
	}
	return e, err
}

func (o *oracle) evaluate(l *line) (val ref.Val, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = stageError{"eval", fmt.Errorf("panic: %v", p)}
		}
	}()
	vars := map[string]*cel.Type{}
	input := map[string]any{}
	for name, b := range l.Bindings {
		v := &celpb.Value{}
		if err := protojson.Unmarshal(b.Value, v); err != nil {
			return nil, stageError{"parse", err}
		}
		if input[name], err = cel.ProtoAsValue(types.DefaultTypeAdapter, v); err != nil {
			return nil, stageError{"parse", err}
		}
		vars[name] = typeOf(v)
	}
	env, err := o.environment(vars)
	if err != nil {
		return nil, stageError{"parse", err}
	}
	ast, issues := env.Parse(l.Expr)
	if issues.Err() != nil {
		return nil, stageError{"parse", issues.Err()}
	}
	if l.Check == nil || *l.Check {
		ast, issues = env.Check(ast)
		if issues.Err() != nil {
			return nil, stageError{"check", issues.Err()}
		}
	}
	program, err := env.Program(ast)
	if err != nil {
		return nil, stageError{"eval", err}
	}
	val, _, err = program.Eval(input)
	if err != nil {
		return nil, stageError{"eval", err}
	}
	return val, nil
}

func (o *oracle) answer(text []byte) map[string]any {
	fail := func(stage string, err error) map[string]any {
		return map[string]any{"error": map[string]string{"stage": stage, "message": err.Error()}}
	}
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return fail("parse", err)
	}
	val, err := o.evaluate(&l)
	if err != nil {
		return fail(err.(stageError).stage, err)
	}
	proto, err := cel.ValueAsProto(val)
	if err != nil {
		return fail("eval", err)
	}
	out, err := protojson.Marshal(proto)
	if err != nil {
		return fail("eval", err)
	}
	return map[string]any{"value": json.RawMessage(out)}
}

func main() {
	base, err := cel.NewEnv(ext.Strings(ext.StringsVersion(0)), ext.Math(ext.MathVersion(0)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	o := &oracle{base: base, envs: map[string]*cel.Env{}}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, lineMax), lineMax)
	out := bufio.NewWriter(os.Stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for in.Scan() {
		if err := enc.Encode(o.answer(in.Bytes())); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	out.Flush()
	if in.Err() != nil {
		fmt.Fprintln(os.Stderr, in.Err())
		os.Exit(1)
	}
}
