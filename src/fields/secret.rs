//! Secrets in the config: each as itself, as a file (`X_file`) or as an environment variable
//! (`X_env`), in exactly one of these forms.

use super::Context;
use crate::secret::{self, NoSecret, Secret};
use secrecy::SecretString;
use spanned_yaml::{At, Field, Section};

/// The three keys of a secret.
fn forms(name: &str) -> [String; 3] {
    [
        name.to_owned(),
        format!("{name}_file"),
        format!("{name}_env"),
    ]
}

/// Where a secret is given in any form; the first place.
pub fn place(section: &Section<'_>, name: &str) -> Option<At> {
    forms(name).iter().filter_map(|f| section.place(f)).min()
}

/// Whether a secret is given in any form.
pub fn is_given(section: &Section<'_>, name: &str) -> bool {
    place(section, name).is_some()
}

/// Takes a secret that must be there.
pub fn need(section: &mut Section<'_>, name: &str, context: &Context<'_>) -> Option<Secret> {
    if !is_given(section, name) {
        section.lacks(&format!("one of {}: add it", forms(name).join(", ")));
    }
    take(section, name, context)
}

/// Takes a secret, if it is there.
pub fn take(section: &mut Section<'_>, name: &str, context: &Context<'_>) -> Option<Secret> {
    let [plain, file, env] = forms(name);
    let mut given: Vec<(Form, Field<'_>)> = [
        (Form::Plain, section.take(&plain)),
        (Form::File, section.take(&file)),
        (Form::Env, section.take(&env)),
    ]
    .into_iter()
    .filter_map(|(form, field)| Some((form, field?)))
    .collect();
    given.sort_by_key(|(_, field)| field.at);
    let (first, others) = given.split_first()?;
    for (_, other) in others {
        other.problems.add(
            other.at,
            format!(
                "{} is given beside {}: keep one of them",
                other.name, first.1.name
            ),
        );
    }
    let (form, field) = first;
    if context.is_alone {
        let _text = field.raw()?;
        return Some(Secret::Value(SecretString::from("")));
    }
    match form {
        Form::Plain => from_text(field),
        Form::File => from_file(field, context),
        Form::Env => from_env(field, context),
    }
}

enum Form {
    Plain,
    File,
    Env,
}

fn from_text(field: &Field<'_>) -> Option<Secret> {
    let found = secret::written(field.raw()?);
    found
        .map_err(|why| field.wrong(format!("cannot use {}: {why}", field.name)))
        .ok()
        .map(Secret::Value)
}

/// It is looked at whenever it is needed; that it can be read is checked now.
fn from_file(field: &Field<'_>, context: &Context<'_>) -> Option<Secret> {
    let text = field.text()?;
    match Secret::in_file(context.folder.join(text), context.deadline) {
        Ok(secret) => Some(secret),
        Err(why) => {
            // The text is not quoted: it may be the secret itself.
            field.wrong(format!(
                "cannot use the file of {}: {why}; write the path of a file that holds the secret",
                field.name
            ));
            None
        }
    }
}

fn from_env(field: &Field<'_>, context: &Context<'_>) -> Option<Secret> {
    let text = field.text()?;
    // Neither `=` nor NUL can be in a variable's name; the standard library wants to be spared.
    let found = if text.contains(['=', '\0']) {
        None
    } else {
        (context.env)(text)
    };
    let why = match found.as_deref().map(secret::trimmed) {
        Some(Ok(found)) => return Some(Secret::Value(found)),
        Some(Err(NoSecret::Empty)) => "is empty: set it, or give the secret in a file".to_owned(),
        Some(Err(why)) => format!("cannot be used: {why}"),
        None => "is not set: set it, or give the secret in a file".to_owned(),
    };
    // Somebody may have put the secret itself here, and those are seldom all upper case.
    let is_name = text
        .bytes()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let shown = if is_name && text.contains('_') {
        format!(" {text}")
    } else {
        String::new()
    };
    field.wrong(format!(
        "{} names an environment variable{shown} that {why}",
        field.name
    ));
    None
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use tokio::time::Instant;

    use super::*;
    use spanned_yaml::Problems;

    fn read(text: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "hunter2\n").unwrap();
        std::fs::write(folder.path().join("pasted"), "\u{feff}hunter2\u{a0}\n").unwrap();
        std::fs::write(folder.path().join("template"), "${hUnter2}\n").unwrap();
        std::fs::write(folder.path().join("nothing"), "\n").unwrap();
        let context = Context {
            folder: folder.path(),
            env: &|name| match name {
                "THE_KEY" => Some("hunter2\n".to_owned()),
                "PASTED_KEY" => Some("\u{a0}hunter2 \n".to_owned()),
                "TEMPLATE_KEY" => Some("{{ hUnter2 }}".to_owned()),
                "EMPTY" => Some(String::new()),
                _ => None,
            },
            deadline: Instant::now() + watched_file::LIMIT,
            is_alone: false,
        };
        let problems = Problems::default();
        let secret = spanned_yaml::parse(text, &problems).and_then(|node| {
            let mut section = Section::new(&node, "ncloud", node.at, &problems);
            let secret = need(&mut section, "key", &context);
            section.finish();
            secret
        });
        let secret = problems.settle(secret).map_err(|all| {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            all.join("\n")
        })?;
        Ok(secret.get().unwrap().expose_secret().to_owned())
    }

    #[test]
    fn each_form_gives_the_secret() {
        for text in [
            "key: hunter2",
            "key: |\n  hunter2\n",
            "key_file: key",
            "key_env: THE_KEY",
            "key_file: pasted",
            "key_env: PASTED_KEY",
        ] {
            assert_eq!(read(text).as_deref(), Ok("hunter2"), "{text}");
        }
        assert_eq!(read("key: 0123").as_deref(), Ok("0123"));
    }

    #[test]
    fn exactly_one_form_is_given() {
        assert_eq!(
            read("key_env: THE_KEY\nkey: hunter2\n").unwrap_err(),
            "2:1: key is given beside key_env: keep one of them"
        );
        assert_eq!(
            read("{}").unwrap_err(),
            "1:1: ncloud needs one of key, key_file, key_env: add it"
        );
    }

    #[test]
    fn an_error_never_shows_what_may_be_a_secret() {
        assert_eq!(
            read("key_env: EMPTY_ONE").unwrap_err(),
            "1:10: key_env names an environment variable EMPTY_ONE that is not set: set it, or give the secret in a file"
        );
        for text in [
            "key_file: hUnter2",
            "key_file: /no/hUnter2",
            "key_file: {path: hUnter2}",
            "key_env: hUnter2",
            "key_env: AB=hUnter2",
            "key: [hUnter2]",
            "key: {hUnter2: a}",
        ] {
            assert!(!read(text).unwrap_err().contains("hUnter2"), "{text}");
        }
        assert!(
            read("key_env: EMPTY")
                .unwrap_err()
                .contains("that is empty")
        );
    }

    #[test]
    fn a_placeholder_is_an_error_in_each_form() {
        for (text, begin) in [
            ("key: '${hUnter2}'", "1:6: cannot use key: it looks like"),
            ("key: '{{ hUnter2 }}'", "1:6: cannot use key: it looks like"),
            (
                "key_file: template",
                "1:11: cannot use the file of key_file: it looks like",
            ),
            (
                "key_env: TEMPLATE_KEY",
                "1:10: key_env names an environment variable TEMPLATE_KEY that cannot be used: it looks like",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(begin), "{error}");
            assert!(error.contains("was not filled in"), "{error}");
            assert!(!error.contains("hUnter2"), "{error}");
        }
    }

    #[test]
    fn a_file_must_be_there_and_hold_something() {
        assert!(read("key_file: none").unwrap_err().contains("No such file"));
        assert!(
            read("key_file: nothing")
                .unwrap_err()
                .contains("it is empty")
        );
    }
}
