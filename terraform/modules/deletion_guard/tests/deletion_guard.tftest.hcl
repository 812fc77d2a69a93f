run "remembers_what_was_applied" {
  variables {
    protected = false
  }

  assert {
    condition     = output.protected == false
    error_message = "The guard keeps the applied value; a destroy asks it, not the variable."
  }
}

run "protected" {
  # Only planned: what a protected apply leaves behind, this test could not clean up.
  command = plan

  variables {
    protected = true
  }

  assert {
    condition     = terraform_data.this.input == true
    error_message = "Protection reaches the guard."
  }
}
