//! The file against the table: everything that can be refused without looking at a row is refused here, at its place.

use jiff::tz::TimeZone;

use super::field::Kind;
use super::moment::Reading;
use super::namespace::{Template, Tree};
use super::program::{Namespace, Program};
use super::rule::{Alternative, Input, Rule, Said, convert_to, fold};
use super::{Context, field};
use crate::error::{MigrateError, Place, Result};
use crate::file::{At, FieldSpec, IdRule, MigrationFile, NamespaceSpec, Otherwise, Ttl, nearest};
use crate::source::{Table, Type};
use crate::value::Value;

impl Program {
    /// Compiles a file against a table.
    ///
    /// # Errors
    /// [`MigrateError::File`] at the first word that does not fit: an unknown column or field, a type that cannot be
    /// cast, a template with an unknown field, a verb that does not belong to its field.
    pub fn compile(file: &MigrationFile, table: &Table, context: Context) -> Result<Self> {
        let mut compiler = Compiler { file, table, expressions: Vec::new() };
        let tree = match (&file.source.tree, &context.tree) {
            (Some(spec), Some(rows)) => Some(Tree::new(rows, compiler.column(&spec.of)?)),
            _ => None,
        };
        let namespace = compiler.namespace(tree.is_some())?;
        let mut dropped = Vec::new();
        for (column, _) in &file.drop {
            dropped.extend(compiler.optional_column(column)?);
        }
        let mut rules: Vec<Rule> = Vec::new();
        for (i, (name, spec)) in file.map.iter().enumerate() {
            match compiler.add(name, spec, &mut rules) {
                Err(_) if is_one_reading_of_several(file, i, &compiler, &rules) => {}
                other => other?,
            }
        }
        compiler.check_id(&context)?;
        compiler.check_lesson(&rules)?;
        compiler.check_dropped(&rules)?;
        let carried = compiler.carried(&rules);
        Ok(Self {
            file: file.clone(),
            table: table.clone(),
            context,
            namespace,
            rules,
            expressions: compiler.expressions,
            tree,
            dropped,
            carried,
        })
    }
}

/// Whether a preset gives another way to read the same column into the same field: `ttl` may be a number of seconds in
/// one installation and an interval in the next, and the column's type tells. One of the ways must fit.
fn is_one_reading_of_several(file: &MigrationFile, i: usize, compiler: &Compiler<'_>, rules: &[Rule]) -> bool {
    let Some((name, spec)) = file.map.get(i) else { return false };
    let Some(column) = spec.from.as_ref().filter(|_| name.place.file.starts_with("preset:")) else { return false };
    let later = file.map[i + 1..].iter().any(|(other, later)| {
        other.value == name.value && later.from.as_ref().is_some_and(|from| from.value == column.value)
    });
    let place = compiler.names().iter().position(|known| *known == column.value);
    later
        || rules
            .iter()
            .filter(|rule| rule.field == name.value)
            .flat_map(|rule| &rule.alternatives)
            .any(|before| matches!(before.input, Input::Cell(cell) if Some(cell) == place))
}

struct Compiler<'a> {
    file: &'a MigrationFile,
    table: &'a Table,
    expressions: Vec<String>,
}

fn fail<T>(place: &Place, what: String, accepted: impl Into<String>) -> Result<T> {
    Err(MigrateError::File { place: place.clone(), what, accepted: accepted.into() })
}

impl Compiler<'_> {
    fn names(&self) -> Vec<&str> {
        self.table.columns.iter().map(|column| column.name.as_str()).collect()
    }

    fn column(&self, word: &At<String>) -> Result<usize> {
        let names = self.names();
        names.iter().position(|name| *name == word.value).map_or_else(
            || {
                fail(
                    &word.place,
                    format!(
                        "no column `{}` in {}{}",
                        word.value,
                        self.table.name,
                        nearest(&word.value, names.iter().copied())
                    ),
                    format!("accepted: {}", names.join(", ")),
                )
            },
            Ok,
        )
    }

    /// `None` for a column that a preset calls optional and that is not there.
    fn optional_column(&self, word: &At<String>) -> Result<Option<usize>> {
        let absent = !self.names().contains(&word.value.as_str());
        if absent && self.file.optional.contains(&word.value) { Ok(None) } else { self.column(word).map(Some) }
    }

    fn namespace(&self, has_tree: bool) -> Result<Namespace> {
        let template = |word: &At<String>| Template::compile(word, self.table, &self.file.optional, has_tree);
        match &self.file.namespace {
            NamespaceSpec::Template(word) => Ok(Namespace::Template(template(word)?)),
            NamespaceSpec::Values { from, values, otherwise } => Ok(Namespace::Values {
                from: self.column(from)?,
                values: values.iter().map(|(value, word)| Ok((fold(value), template(word)?))).collect::<Result<_>>()?,
                otherwise: otherwise.as_ref().map(template).transpose()?,
            }),
        }
    }

    /// Adds an alternative to its field's rule; nothing when all it reads is optional and absent.
    fn add(&mut self, name: &At<String>, spec: &FieldSpec, rules: &mut Vec<Rule>) -> Result<()> {
        let Some((field, kind)) = Kind::of(&name.value) else {
            let fields: Vec<&str> = field::FIELDS.iter().map(|(field, _)| *field).collect();
            return fail(
                &name.place,
                format!("no memory field `{}`{}", name.value, nearest(&name.value, fields.iter().copied())),
                format!("accepted: {}", fields.join(", ")),
            );
        };
        let Some(alternative) = self.alternative(name, kind, spec)? else { return Ok(()) };
        match rules.iter_mut().find(|rule| rule.field == field) {
            Some(rule) => rule.alternatives.push(alternative),
            None => rules.push(Rule { field, kind, alternatives: vec![alternative] }),
        }
        Ok(())
    }

    fn alternative(&mut self, name: &At<String>, kind: Kind, spec: &FieldSpec) -> Result<Option<Alternative>> {
        self.check_verbs(name, kind, spec)?;
        let reading = Reading {
            zone: spec.zone.as_ref().map(zone).transpose()?,
            epoch: spec.epoch.as_ref().map(|epoch| epoch.value),
        };
        let Some(input) = self.input(name, kind, spec, &reading)? else { return Ok(None) };
        let since = match &spec.since {
            None => None,
            Some(word) => self.optional_column(word)?,
        };
        let when_true = match &spec.when_true {
            None => None,
            Some(words) => {
                let mut columns = Vec::new();
                for word in words {
                    columns.extend(self.optional_column(word)?);
                }
                Some(columns)
            }
        };
        let alternative = Alternative {
            input,
            values: spec
                .values
                .as_ref()
                .map(|values| values.iter().map(|(from, to)| (fold(from), to.value.clone())).collect()),
            otherwise: spec.otherwise.as_ref().map(|word| word.value.clone()),
            scale: spec.scale.as_ref().map(|scale| scale.value),
            ttl: spec.ttl.as_ref().map(|ttl| ttl.value),
            since,
            when_true,
            reading,
            model: spec.model.as_ref().map(|model| model.value.clone()),
            unpad: spec.unpad.as_ref().map(|width| width.value),
        };
        self.check_types(name, kind, spec, &alternative)?;
        Ok(Some(alternative))
    }

    fn input(&mut self, name: &At<String>, kind: Kind, spec: &FieldSpec, reading: &Reading) -> Result<Option<Input>> {
        if let Some(word) = &spec.from {
            return Ok(self.optional_column(word)?.map(Input::Cell));
        }
        if let Some(sql) = &spec.expr {
            self.expressions.push(sql.value.clone());
            return Ok(Some(Input::Cell(self.table.columns.len() + self.expressions.len() - 1)));
        }
        if let Some(words) = &spec.merge {
            let mut columns = Vec::new();
            for word in words {
                columns.extend(self.optional_column(word)?);
            }
            return Ok((!columns.is_empty()).then_some(Input::Merge(columns)));
        }
        let Some(word) = &spec.value else {
            return fail(
                &name.place,
                format!("field `{}` has no input", name.value),
                "write one of from, expr, value, merge",
            );
        };
        let said = constant(&word.value)
            .ok_or(())
            .and_then(|value| convert_to(kind, &value, reading).map_err(|_| ()))
            .or_else(|()| {
                let what = format!("`{}` cannot be {}", name.value, word.value);
                fail(&word.place, what, format!("accepted: {}", kind.accepted()))
            })?;
        Ok(Some(Input::Constant(said)))
    }

    /// Verbs that do not belong together or to the field.
    fn check_verbs(&self, name: &At<String>, kind: Kind, spec: &FieldSpec) -> Result<()> {
        let only = |given: Option<&Place>, verb: &str, fits: bool, accepted: &str| match given {
            Some(place) if !fits => {
                fail(place, format!("`{verb}` does not fit field `{}`", name.value), accepted.to_owned())
            }
            _ => Ok(()),
        };
        let moment = kind == Kind::Moment;
        only(spec.ttl.as_ref().map(|w| &w.place), "ttl", moment, "it is for moments such as expires_at")?;
        only(spec.zone.as_ref().map(|w| &w.place), "zone", moment, "it is for moments")?;
        only(spec.epoch.as_ref().map(|w| &w.place), "epoch", moment, "it is for moments")?;
        let first = spec.when_true.as_ref().and_then(|words| words.first());
        only(first.map(|w| &w.place), "when_true", moment, "it is for moments such as verified_at")?;
        let whole = matches!(kind, Kind::Integer(..));
        only(spec.scale.as_ref().map(|w| &w.place), "scale", whole, "it is for importance")?;
        let vector = kind == Kind::Vector;
        only(spec.model.as_ref().map(|w| &w.place), "model", vector, "it is for embedding")?;
        only(spec.unpad.as_ref().map(|w| &w.place), "unpad", vector, "it is for embedding")?;
        let first = spec.merge.as_ref().and_then(|words| words.first());
        only(first.map(|w| &w.place), "merge", kind == Kind::Json, "it is for metadata and propagation")?;
        match (&spec.ttl, &spec.since) {
            (Some(ttl), None) if ttl.value != Ttl::Absolute => fail(
                &ttl.place,
                format!("field `{}` has a relative time to live and no `since`", name.value),
                "write since = \"created_at\": counting from the day of the migration would be wrong",
            ),
            (None, Some(since)) => {
                fail(&since.place, "`since` without `ttl`".into(), "write ttl = \"seconds\" or \"interval\"")
            }
            _ => Ok(()),
        }?;
        // Beside `when_true` a word becomes yes or no, elsewhere a value of the field.
        let becomes = if spec.when_true.is_some() { Kind::Bool } else { kind };
        for (_, target) in spec.values.iter().flatten() {
            self.check_target(name, becomes, target)?;
        }
        if let Some(At { value: Otherwise::Value(_) | Otherwise::Keep, place }) = &spec.otherwise
            && spec.when_true.is_some()
        {
            return fail(
                place,
                format!("field `{}` has `otherwise` beside `when_true`", name.value),
                "leave it out: where the flag does not say yes, or none of the columns has a time, the field stays null",
            );
        }
        if let Some(At { value: Otherwise::Value(text), place }) = &spec.otherwise {
            self.check_target(name, kind, &At { value: text.clone(), place: place.clone() })?;
        }
        Ok(())
    }

    fn check_target(&self, name: &At<String>, kind: Kind, target: &At<String>) -> Result<()> {
        match convert_to(kind, &Value::Text(target.value.clone()), &Reading::default()) {
            Ok(_) => Ok(()),
            Err(_) => fail(
                &target.place,
                format!("`{}` cannot be `{}`", name.value, target.value),
                format!("accepted: {}", kind.accepted()),
            ),
        }
    }

    /// Types that can never be cast, whatever the row.
    fn check_types(&self, name: &At<String>, kind: Kind, spec: &FieldSpec, alternative: &Alternative) -> Result<()> {
        let (Some(word), Input::Cell(place)) = (&spec.from, &alternative.input) else { return Ok(()) };
        let Some(column) = self.table.columns.get(*place) else { return Ok(()) };
        let refuse = |accepted: String| {
            fail(
                &word.place,
                format!("column `{}` of type {} cannot become `{}`", column.name, column.declared, name.value),
                accepted,
            )
        };
        if alternative.values.is_some() || alternative.when_true.is_some() {
            let flags = !matches!(column.ty, Type::Bytes | Type::Vector | Type::Json | Type::Array);
            return if flags { Ok(()) } else { refuse("accepted: a column of words, numbers or booleans".into()) };
        }
        if let Some(ttl) = alternative.ttl {
            let (fits, accepted) = match ttl {
                Ttl::Seconds => (numeric(column.ty) || textual(column.ty), "a number of seconds"),
                Ttl::Interval => {
                    (column.ty == Type::Interval || textual(column.ty), "an interval, or text that is one")
                }
                Ttl::Absolute => {
                    return self.check_moment(name, spec, column.ty, &word.place, &column.declared, &column.name);
                }
            };
            return if fits { Ok(()) } else { refuse(format!("accepted for this ttl: {accepted}")) };
        }
        let fits = match kind {
            Kind::Moment => {
                return self.check_moment(name, spec, column.ty, &word.place, &column.declared, &column.name);
            }
            Kind::Text | Kind::Label(_) => !matches!(column.ty, Type::Bytes | Type::Vector | Type::Array),
            Kind::Word(_) => matches!(column.ty, Type::Text | Type::Other | Type::Dynamic),
            Kind::Integer(..) | Kind::Share => numeric(column.ty) || textual(column.ty),
            Kind::Bool => matches!(column.ty, Type::Bool | Type::Int) || textual(column.ty),
            Kind::Json => !matches!(column.ty, Type::Bytes | Type::Vector),
            Kind::Vector => {
                matches!(column.ty, Type::Vector | Type::Array | Type::Json | Type::Bytes | Type::Other)
                    || textual(column.ty)
            }
        };
        if fits { Ok(()) } else { refuse(format!("accepted: {}", kind.accepted())) }
    }

    fn check_moment(
        &self,
        name: &At<String>,
        spec: &FieldSpec,
        ty: Type,
        place: &Place,
        declared: &str,
        column: &str,
    ) -> Result<()> {
        let what = format!("column `{column}` of type {declared} cannot become `{}` as it stands", name.value);
        match ty {
            Type::Moment | Type::Text | Type::Dynamic | Type::Other => Ok(()),
            Type::LocalTime | Type::Date if spec.zone.is_some() => Ok(()),
            Type::LocalTime | Type::Date => {
                fail(place, what, "write zone = \"…\": a wall clock without its zone is no moment")
            }
            Type::Int | Type::Decimal | Type::Float32 | Type::Float64 if spec.epoch.is_some() => Ok(()),
            Type::Int | Type::Decimal | Type::Float32 | Type::Float64 => {
                fail(place, what, "write epoch = \"s\", \"ms\", \"us\" or \"ns\"")
            }
            _ => fail(place, what, "accepted: a timestamp, a date, an epoch, or ISO text"),
        }
    }

    fn check_id(&self, context: &Context) -> Result<()> {
        if self.file.id != IdRule::Key {
            return Ok(());
        }
        let uuid = match context.key.as_slice() {
            [one] => self
                .table
                .columns
                .iter()
                .any(|column| column.name == *one && matches!(column.ty, Type::Uuid | Type::Text | Type::Dynamic)),
            _ => false,
        };
        if uuid {
            return Ok(());
        }
        Err(MigrateError::Source {
            source_name: self.table.name.clone(),
            what: format!("[id] from = \"key\" with the key ({})", context.key.join(", ")),
            accepted: "a key of one uuid column is accepted; or write [id] from = \"derived\"".into(),
        })
    }

    /// A kind that is always `lesson`, by the file or by default, needs role and topic.
    fn check_lesson(&self, rules: &[Rule]) -> Result<()> {
        let start = Place { file: self.file.path.clone(), line: 1, column: 1 };
        let rule = |field: &str| rules.iter().find(|rule| rule.field == field);
        if rule("content").is_none() {
            return fail(&start, "[map] does not say where `content` comes from".into(), "write content = \"column\"");
        }
        let always = match rule("kind").map(|rule| rule.alternatives.as_slice()) {
            None => true,
            Some([Alternative { input: Input::Constant(Said::Text(kind)), .. }, ..]) => kind == "lesson",
            Some(_) => false,
        };
        match ["role", "topic"].iter().find(|field| always && rule(field).is_none()) {
            None => Ok(()),
            Some(field) => fail(
                &start,
                format!("every row would be a lesson, and nothing maps its `{field}`"),
                "map role and topic, or write kind = { value = \"fact\" }",
            ),
        }
    }

    fn check_dropped(&self, rules: &[Rule]) -> Result<()> {
        for (word, _) in &self.file.drop {
            let Some(column) = self.optional_column(word)? else { continue };
            let used = rules.iter().any(|rule| {
                rule.alternatives.iter().any(|alternative| match &alternative.input {
                    Input::Cell(place) => *place == column,
                    Input::Merge(places) => places.contains(&column),
                    Input::Constant(_) => false,
                })
            });
            if used {
                return fail(
                    &word.place,
                    format!("column `{}` is both mapped and dropped", word.value),
                    "do one of the two",
                );
            }
        }
        Ok(())
    }

    /// Columns that the memory holds byte for byte, so that the origin need not.
    fn carried(&self, rules: &[Rule]) -> Vec<(usize, &'static str)> {
        let plain = |rule: &Rule| match rule.alternatives.as_slice() {
            [Alternative { input: Input::Cell(place), values: None, unpad: None, otherwise, .. }] => {
                Some((*place, otherwise.clone()))
            }
            _ => None,
        };
        rules
            .iter()
            .filter_map(|rule| {
                let (place, otherwise) = plain(rule)?;
                let column = self.table.columns.get(place)?;
                let whole = match rule.field {
                    // A replaced text is not the source's: what was there stays in the origin.
                    "content" => column.ty == Type::Text && matches!(otherwise, None | Some(Otherwise::Reject)),
                    "embedding" => {
                        column.ty == Type::Vector
                            && !matches!(otherwise, Some(Otherwise::Value(_)))
                            && column.dimensions.is_some()
                            && column.declared.starts_with("vector")
                    }
                    _ => false,
                };
                whole.then_some((place, rule.field))
            })
            .collect()
    }
}

fn numeric(ty: Type) -> bool {
    matches!(ty, Type::Int | Type::Decimal | Type::Float32 | Type::Float64)
}

fn textual(ty: Type) -> bool {
    matches!(ty, Type::Text | Type::Dynamic)
}

fn zone(word: &At<String>) -> Result<TimeZone> {
    TimeZone::get(&word.value).or_else(|_| {
        fail(
            &word.place,
            format!("no time zone `{}`", word.value),
            "accepted: IANA names such as Europe/Zurich, or UTC",
        )
    })
}

fn constant(value: &toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::Text(text.clone()),
        toml::Value::Integer(number) => Value::Int(*number),
        toml::Value::Float(number) => Value::Float64(*number),
        toml::Value::Boolean(value) => Value::Bool(*value),
        toml::Value::Datetime(moment) => Value::Text(moment.to_string()),
        other => Value::Json(serde_json::to_string(other).ok()?),
    })
}
