#!/usr/bin/env bash
# The step of action.yml that runs the command. What comes from outside comes in variables, and is never read as code.
set -euo pipefail

arguments=()
while IFS= read -r line; do
  if [[ -n "$line" ]]; then arguments+=("$line"); fi
done <<< "${ARGUMENTS:-}"
if [[ "$COMMAND" == plan ]]; then
  if [[ -n "${BASE:-}" ]]; then arguments+=("--base=$BASE"); fi
  read -ra guards <<< "${ALLOW:-}"
  for guard in ${guards[@]+"${guards[@]}"}; do arguments+=("--allow=$guard"); done
fi
if [[ -n "${CLOUD:-}" ]]; then export RECONCILER_CLOUD="$CLOUD"; fi

comment="$REPORTS/report.md" html="$REPORTS/report.html" sarif="$REPORTS/report.sarif" junit="$REPORTS/report.xml"
plan="$REPORTS/plan.json"
case "$COMMAND" in
  validate) asked=(--report "sarif=$sarif" --report "junit=$junit") ;;
  plan | drift)
    asked=(--report "markdown=$comment" --report "html=$html" --report "sarif=$sarif" --report "junit=$junit") ;;
  apply) asked=(--journal "$REPORTS/journal") ;;
  *) echo "::error::the input command is validate, plan, apply or drift, and not what it was given"; exit 1 ;;
esac
mkdir -p "$REPORTS"
if [[ "$COMMAND" != apply ]]; then rm -f "$comment" "$html" "$sarif" "$junit" "$plan"; fi
if [[ "$COMMAND" == plan ]]; then asked+=(--out "$plan"); fi

code=0
reconciler "$COMMAND" ${asked[@]+"${asked[@]}"} ${arguments[@]+"${arguments[@]}"} || code=$?

{
  echo "exit-code=$code"
  if [[ "$COMMAND" != apply ]]; then
    for name in comment html sarif junit plan; do
      if [[ -f "${!name}" ]]; then echo "$name=${!name}"; fi
    done
    if [[ -f "$plan" ]]; then echo "digest=$(sha256sum < "$plan" | cut -d ' ' -f 1)"; fi
  fi
} >> "$GITHUB_OUTPUT"
if [[ "$COMMAND" != apply && -f "$comment" ]]; then cat "$comment" >> "$GITHUB_STEP_SUMMARY"; fi
if [[ " $ACCEPT " == *" $code "* ]]; then exit 0; fi
exit "$code"
