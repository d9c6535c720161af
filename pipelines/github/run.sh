#!/usr/bin/env bash
# The step of action.yml that runs the command. Everything from outside comes in variables, and is never read as code.
set -euo pipefail

arguments=()
while IFS= read -r line; do
  if [[ -n "$line" ]]; then arguments+=("$line"); fi
done <<< "${ARGUMENTS:-}"

mkdir -p "$REPORTS"
case "$COMMAND" in
  validate) reports=(--report "sarif=$REPORTS/report.sarif" --report "junit=$REPORTS/report.xml") ;;
  plan | drift)
    reports=(--report "markdown=$REPORTS/report.md" --report "html=$REPORTS/report.html"
      --report "sarif=$REPORTS/report.sarif" --report "junit=$REPORTS/report.xml") ;;
  apply) reports=() ;;
  *) echo "::error::command is $COMMAND; it must be validate, plan, apply or drift"; exit 1 ;;
esac
if [[ "$COMMAND" == plan ]]; then reports+=(--out "$REPORTS/plan.json"); fi

code=0
reconciler "$COMMAND" ${reports[@]+"${reports[@]}"} ${arguments[@]+"${arguments[@]}"} || code=$?
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
if [[ -f "$REPORTS/report.md" ]]; then cat "$REPORTS/report.md" >> "$GITHUB_STEP_SUMMARY"; fi
if [[ "$COMMAND" == plan && -f "$REPORTS/plan.json" ]]; then
  echo "digest=$(reconciler show "$REPORTS/plan.json" --digest)" >> "$GITHUB_OUTPUT"
fi
if [[ " $ACCEPT " == *" $code "* ]]; then exit 0; fi
exit "$code"
