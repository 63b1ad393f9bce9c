//! As much of the query language as the rules need: the selectors of an expression, and what stands around them.

/// One selector.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Selector {
    /// The metric; empty when only matchers stand there.
    pub(crate) metric: String,
    /// The matchers: label, operator, value.
    pub(crate) matchers: Vec<(String, String, String)>,
    /// What stands in its brackets.
    pub(crate) range: Option<String>,
    /// The function that it is the first argument of.
    pub(crate) function: Option<String>,
    /// The number that it is multiplied with, from the left.
    pub(crate) factor: Option<String>,
}

impl Selector {
    pub(crate) fn has(&self, label: &str, operator: &str, value: &str) -> bool {
        let matcher =
            |(l, o, v): &(String, String, String)| l == label && o == operator && v == value;
        self.matchers.iter().any(matcher)
    }

    /// The value that a label must have.
    pub(crate) fn equal(&self, label: &str) -> Option<&str> {
        let found = self
            .matchers
            .iter()
            .find(|(l, o, _)| l == label && o == "=");
        found.map(|(_, _, value)| value.as_str())
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Number(String),
    Text(String),
    Range(String),
    Sign(String),
}

fn tokens(expr: &str) -> Vec<Token> {
    let mut chars = expr.chars().peekable();
    let mut out = Vec::new();
    while let Some(c) = chars.next() {
        let mut run = |keep: fn(char) -> bool| {
            let mut text = c.to_string();
            while let Some(next) = chars.next_if(|c| keep(*c)) {
                text.push(next);
            }
            text
        };
        out.push(match c {
            c if c.is_whitespace() => continue,
            c if c.is_ascii_alphabetic() || c == '_' => {
                Token::Word(run(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':'))
            }
            c if c.is_ascii_digit() => Token::Number(run(|c| c.is_ascii_digit() || c == '.')),
            '=' | '!' | '<' | '>' => Token::Sign(run(|c| c == '=' || c == '~')),
            '[' => Token::Range(chars.by_ref().take_while(|c| *c != ']').collect()),
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    text.push(c);
                    if c == '\\' {
                        text.extend(chars.next());
                    }
                }
                Token::Text(text)
            }
            other => Token::Sign(other.to_string()),
        });
    }
    out
}

fn is_sign(token: Option<&Token>, sign: &str) -> bool {
    matches!(token, Some(Token::Sign(s)) if s == sign)
}

/// Every selector of an expression that promtool takes.
pub(crate) fn selectors(expr: &str) -> Vec<Selector> {
    let tokens = tokens(expr);
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let metric = match token {
            Token::Word(word) => match word.as_str() {
                "by" | "without" | "on" | "ignoring" | "group_left" | "group_right" => {
                    if is_sign(tokens.get(at), "(") {
                        while tokens.get(at).is_some() && !is_sign(tokens.get(at), ")") {
                            at += 1;
                        }
                    }
                    continue;
                }
                "and" | "or" | "unless" | "bool" | "offset" => continue,
                // A function, or an aggregation with its labels in front.
                _ if is_sign(tokens.get(at), "(") => continue,
                _ if matches!(tokens.get(at), Some(Token::Word(w)) if w == "by" || w == "without") =>
                {
                    continue;
                }
                _ => word.clone(),
            },
            Token::Sign(sign) if sign == "{" => {
                at -= 1;
                String::new()
            }
            _ => continue,
        };
        let before = |n: usize| {
            let own = usize::from(!metric.is_empty());
            at.checked_sub(own + n).and_then(|i| tokens.get(i))
        };
        let function = match (before(2), before(1)) {
            (Some(Token::Word(name)), open) if is_sign(open, "(") => Some(name.clone()),
            _ => None,
        };
        let factor = match (before(2), before(1)) {
            (Some(Token::Number(number)), times) if is_sign(times, "*") => Some(number.clone()),
            _ => None,
        };
        let mut matchers = Vec::new();
        if is_sign(tokens.get(at), "{") {
            at += 1;
            while let Some(token) = tokens.get(at) {
                at += 1;
                match (token, tokens.get(at), tokens.get(at + 1)) {
                    (Token::Sign(sign), _, _) if sign == "}" => break,
                    (Token::Word(l), Some(Token::Sign(o)), Some(Token::Text(v))) => {
                        matchers.push((l.clone(), o.clone(), v.clone()));
                        at += 2;
                    }
                    _ => {}
                }
            }
        }
        let range = match tokens.get(at) {
            Some(Token::Range(range)) => Some(range.clone()),
            _ => None,
        };
        out.push(Selector {
            metric,
            matchers,
            range,
            function,
            factor,
        });
    }
    out
}

#[test]
fn selectors_are_found_with_what_stands_around_them() {
    let expr = r#"max by (a, b) (2 * up{job=~"$job", s="a}\"["} or rate(x_total{job!="y"}[5m])) / on (a) group_left z @ end() > bool {k="v"}"#;
    let found = selectors(expr);
    let names: Vec<_> = found.iter().map(|s| s.metric.as_str()).collect();
    assert_eq!(names, ["up", "x_total", "z", ""]);
    assert!(found[0].has("job", "=~", "$job"));
    assert_eq!(found[0].equal("s"), Some(r#"a}\"["#));
    assert_eq!(found[0].factor.as_deref(), Some("2"));
    assert_eq!(found[1].function.as_deref(), Some("rate"));
    assert_eq!(found[1].range.as_deref(), Some("5m"));
    assert!(found[1].has("job", "!=", "y"));
    assert!(found[2].matchers.is_empty());
    assert_eq!(found[3].equal("k"), Some("v"));
}
