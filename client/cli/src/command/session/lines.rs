//! Where commands come from: a person at a terminal, or a script on standard input.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::sync::Arc;

use halfopen_proto::v1::SessionHost;
use rustyline::config::Config;
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{CompletionType, Editor};

use super::completion::Completion;
use super::history::{History, MAX_LINES};
use super::player::PlayError;
use super::terminal::Terminal;

/// The maximum length of a line of a script, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// What is wrong with a line that is no text.
const NO_TEXT: &str = "the line is not UTF-8";

/// A line editor with what it completes.
type Prompt = Editor<Completion, MemHistory>;

/// The lines, one by one.
pub(super) struct Lines {
    /// `None` for a script.
    prompt: Option<Prompt>,
    /// Where the lines of a person are kept.
    history: Option<Arc<History>>,
    /// What a prompt has changed is as before at the end.
    _terminal: Option<Terminal>,
    number: u64,
}

impl Lines {
    /// Lines of a person, if there is one who sees the prompt.
    pub(super) fn new() -> Lines {
        let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        let terminal = is_terminal.then(Terminal::new);
        let history = History::of_user().filter(|_| is_terminal).map(Arc::new);
        let prompt = if is_terminal { prompt(history.as_deref()) } else { None };
        Lines { prompt, history, _terminal: terminal, number: 0 }
    }

    /// Whether a person writes them.
    pub(super) fn is_terminal(&self) -> bool {
        self.prompt.is_some()
    }

    /// The number of the last line.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Says which hosts there are, for completion.
    pub(super) fn set_hosts(&mut self, hosts: &[SessionHost]) {
        let hosts = hosts.iter().map(|host| host.name.clone()).collect();
        if let Some(prompt) = &mut self.prompt {
            prompt.set_helper(Some(Completion::new(hosts)));
        }
    }

    /// The next line; `None` at the end. The thread that waits for it is another one: the service may be in this process.
    pub(super) async fn next(
        &mut self,
        prompt: &str,
        sockets: Vec<u32>,
    ) -> Result<Option<String>, PlayError> {
        self.number += 1;
        let Some(mut editor) = self.prompt.take() else {
            let read = tokio::task::spawn_blocking(read_line).await.map_err(io::Error::other)?;
            return read.map_err(|error| PlayError::Wrong(error.to_string()));
        };
        if let Some(completion) = editor.helper_mut() {
            completion.set_sockets(sockets);
        }
        let (prompt, history) = (prompt.to_owned(), self.history.clone());
        let edited = tokio::task::spawn_blocking(move || {
            let line = edit_line(&mut editor, &prompt, history.as_deref());
            (editor, line)
        });
        let (editor, line) = edited.await.map_err(io::Error::other)?;
        self.prompt = Some(editor);
        line
    }
}

/// A line editor, which knows the lines of earlier sessions; `None` if there is no terminal for one.
fn prompt(history: Option<&History>) -> Option<Prompt> {
    // Lines that are pasted are done one by one.
    let config = Config::builder().completion_type(CompletionType::List).bracketed_paste(false);
    let config = config.max_history_size(MAX_LINES).ok()?.build();
    let known = MemHistory::with_config(&config);
    let mut prompt = Editor::with_history(config, known).ok()?;
    // At first there are none.
    let lines = history.and_then(|history| history.lines().ok()).unwrap_or_default();
    lines.iter().try_for_each(|line| prompt.add_history_entry(line).map(drop)).ok()?;
    Some(prompt)
}

/// A line of a person. Ctrl-C clears it, Ctrl-D ends.
fn edit_line(
    editor: &mut Prompt,
    prompt: &str,
    history: Option<&History>,
) -> Result<Option<String>, PlayError> {
    loop {
        match editor.readline(prompt) {
            Ok(line) => {
                // A history that cannot grow is no reason to stop. What is not new there is not new in the file.
                if editor.add_history_entry(&line).is_ok_and(|is_new| is_new) {
                    let _ = history.map(|history| history.add(&line));
                }
                return Ok(Some(line));
            }
            Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => {}
            Err(ReadlineError::Eof) => return Ok(None),
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(PlayError::Wrong(NO_TEXT.to_owned()));
            }
            Err(ReadlineError::Io(error)) => return Err(error.into()),
            Err(error) => return Err(io::Error::other(error).into()),
        }
    }
}

/// A line of a script.
fn read_line() -> io::Result<Option<String>> {
    let mut octets = Vec::new();
    io::stdin().lock().take(MAX_LINE + 1).read_until(b'\n', &mut octets)?;
    if octets.len() as u64 > MAX_LINE {
        return Err(io::Error::other("a line has at most 1 MiB"));
    }
    if octets.is_empty() {
        return Ok(None);
    }
    let line = String::from_utf8(octets).map_err(|_| io::Error::other(NO_TEXT))?;
    Ok(Some(line.trim_end_matches(['\n', '\r']).to_owned()))
}
