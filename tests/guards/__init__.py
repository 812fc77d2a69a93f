"""Every rule with the guard that holds it and the test that fails without it; `script/guards` removes them one by one."""
