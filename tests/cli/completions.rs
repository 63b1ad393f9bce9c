//! Completions, as the shells read them.

use super::*;

/// Lets a shell run this text; `folder` is first in its PATH and holds the program.
fn shell(name: &str, folder: &TempDir, text: &str) -> Option<Output> {
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", folder.path().display());
    let mut shell = Command::new(name);
    shell.args(["-c", text]).env("PATH", path);
    shell.current_dir(folder.path()).stdin(Stdio::null());
    shell.output().ok()
}

#[test]
fn shells_complete_commands_flags_and_values() {
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("rolling-upgrade-exporter");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_rolling-upgrade-exporter"), place).unwrap();
    let script = |shell: &str| {
        let out = run(&["completions", shell]);
        assert_eq!(out.status.code(), Some(0), "{out:?}");
        fs::write(folder.path().join(shell), &out.stdout).unwrap();
    };
    for name in ["bash", "fish", "zsh"] {
        script(name);
    }
    // (what stands before, what is begun, what must be offered)
    let cases = [
        ("", "comp", "completions"),
        ("completions", "", "powershell"),
        ("history", "--storage.p", "--storage.path"),
        ("serve", "--web.l", "--web.listen-address"),
        ("serve --web.listen-address :1", "--log.f", "--log.format"),
    ];
    for (before, begun, offered) in cases {
        let bash = format!(
            "source ./bash; f=$(complete -p rolling-upgrade-exporter | sed 's/.*-F \\([^ ]*\\).*/\\1/')
             COMP_WORDS=(rolling-upgrade-exporter {before} '{begun}'); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
             $f rolling-upgrade-exporter '{begun}' \"${{COMP_WORDS[COMP_CWORD-1]}}\"
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let fish =
            format!("source ./fish; complete -C 'rolling-upgrade-exporter {before} {begun}'");
        // Not every machine has fish, and the library tells it no values of words without a flag.
        for (name, asked) in [("bash", bash), ("fish", fish)] {
            if name == "fish" && offered == "powershell" {
                continue;
            }
            let Some(out) = shell(name, &folder, &asked) else {
                assert_ne!(name, "bash", "no bash");
                continue;
            };
            let mut lines = text(&out.stdout).lines();
            let is_it = |line: &str| line.split('\t').next() == Some(offered);
            assert!(lines.any(is_it), "{name}, {before} {begun}: {out:?}");
        }
    }
    if let Some(out) = shell("zsh", &folder, "zsh -n ./zsh") {
        assert!(out.status.success(), "{out:?}");
    }
}
